import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Keys } from '#platform';
import { ForwardTokens } from './forward-tokens.ts';

const keysOf = (secret: string) => new Keys({ SECRET_KEY: Buffer.alloc(32, secret).toString('base64') });
const tokens = new ForwardTokens(keysOf('one'));
const ids = fc.integer({ min: 1, max: 2 ** 48 - 1 });

describe('ForwardTokens', () => {
  it('gives back the id of its own token', () => {
    fc.assert(fc.property(ids, (id) => tokens.decode(tokens.encode(id)) === id));
  });

  it('refuses a token with any bit changed', () => {
    fc.assert(
      fc.property(ids, fc.nat({ max: 127 }), (id, bit) => {
        const bytes = Buffer.from(tokens.encode(id), 'base64url');
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        return tokens.decode(bytes.toString('base64url')) === null;
      }),
    );
  });

  it('refuses what another key or another purpose made', () => {
    expect(tokens.decode(new ForwardTokens(keysOf('two')).encode(7))).toBeNull();
    const id = Buffer.from([0, 0, 0, 0, 0, 7]);
    const reference = keysOf('one').token('recipient-reference', id);
    expect(tokens.decode(reference.toString('base64url'))).toBeNull();
  });

  it('shows nothing of the id: neighbours share no more than strangers do', () => {
    const bytes = Array.from({ length: 200 }, (_, n) => Buffer.from(tokens.encode(1_000 + n), 'base64url'));
    const same = bytes.slice(1).flatMap((each, n) => [...each].filter((byte, at) => byte === bytes[n]?.[at]));
    // Of 3 184 pairs of bytes one in 256 is the same by chance.
    expect(same.length).toBeLessThan(40);
  });

  it.each(['', 'x', 'A'.repeat(22), 'A'.repeat(23), '<script>alert(1)</scri', '儿'.repeat(22)])(
    'refuses %j',
    (token) => {
      expect(tokens.decode(token)).toBeNull();
    },
  );
});
