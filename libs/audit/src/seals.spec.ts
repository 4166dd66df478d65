import { describe, expect, it } from '@jest/globals';
import { Keys } from '#platform';
import { Seals } from './seals.ts';

const sealsOf = (secret: string) => new Seals(new Keys({ SECRET_KEY: Buffer.alloc(32, secret).toString('base64') }));
const head = { agencyId: 'a', seq: 7, hash: Buffer.alloc(32, 1) };

describe('the seal of a head', () => {
  const seals = sealsOf('one');
  const seal = seals.seal(head);

  it('is of this agency, this place, this hash and this key alone', () => {
    expect(seals.isSeal(head, seal)).toBe(true);
    expect(seals.isSeal({ ...head, agencyId: 'b' }, seal)).toBe(false);
    expect(seals.isSeal({ ...head, seq: 8 }, seal)).toBe(false);
    expect(seals.isSeal({ ...head, hash: Buffer.alloc(32, 2) }, seal)).toBe(false);
    expect(sealsOf('two').isSeal(head, seal)).toBe(false);
  });

  it('is whole: a short one would be guessed soon', () => {
    for (const guess of [Buffer.alloc(0), ...Array.from({ length: 256 }, (_, byte) => Buffer.of(byte))]) {
      expect(seals.isSeal(head, guess)).toBe(false);
    }
  });
});

it('a network’s digest is the same for the same network, and says nothing of it', () => {
  const seals = sealsOf('one');
  expect(seals.network('203.0.113.7')).toBe(seals.network('203.0.113.7'));
  expect(seals.network('203.0.113.7')).not.toBe(seals.network('203.0.113.8'));
  expect(seals.network('203.0.113.7')).not.toBe(sealsOf('two').network('203.0.113.7'));
  expect(seals.network('203.0.113.7')).toMatch(/^[\w-]{16}$/);
});
