import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Keys } from '#platform';
import { RecipientReferences } from './recipient-reference.ts';

const references = (secret: string) =>
  new RecipientReferences(new Keys({ SECRET_KEY: Buffer.alloc(32, secret).toString('base64') }));

describe('recipient references', () => {
  const [ours, theirs] = [references('a'), references('b')];
  const batch = fc.integer({ min: 1, max: 2 ** 40 });
  const index = fc.integer({ min: 0, max: 499 });

  it('name one recipient and come back as it', () => {
    fc.assert(
      fc.property(batch, index, (batchId, place) => {
        const reference = ours.encode(batchId, place);
        expect(reference).toHaveLength(22);
        expect(ours.decode(reference)).toEqual({ batchId, index: place });
      }),
    );
  });

  it('cannot be made with another key, or bent to another recipient', () => {
    fc.assert(
      fc.property(batch, index, fc.nat(127), (batchId, place, bit) => {
        expect(ours.decode(theirs.encode(batchId, place))).toBeNull();
        const bytes = Buffer.from(ours.encode(batchId, place), 'base64url');
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(ours.decode(bytes.toString('base64url'))).toBeNull();
      }),
    );
  });

  it('show neither batch nor place: neighbours share no more than strangers do', () => {
    const bytes = Array.from({ length: 200 }, (_, n) => Buffer.from(ours.encode(77, n), 'base64url'));
    const same = bytes.slice(1).flatMap((each, n) => [...each].filter((byte, at) => byte === bytes[n]?.[at]));
    // Of 3 184 pairs of bytes one in 256 is the same by chance.
    expect(same.length).toBeLessThan(40);
  });

  it('refuse anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(ours.decode(text)).toBeNull()));
  });
});
