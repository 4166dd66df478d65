import { describe, expect, it } from '@jest/globals';
import { rankOf } from './feeder.ts';

describe('feeding', () => {
  const ring = (seq: number) => rankOf({ seq, ends: false });
  const ending = (seq: number) => rankOf({ seq, ends: true });

  it('puts the wave served least first, whatever its size', () => {
    expect(ring(1)).toBeLessThan(ring(300));
    expect(ring(20)).toBeLessThan(ring(21));
  });

  it('lets an ending go four batches for another’s one', () => {
    expect([1, 4, 5, 40].map(ending)).toEqual([1, 1, 2, 10]);
  });

  it('keeps within what the queue can hold', () => {
    expect(ring(1)).toBeGreaterThan(0);
    expect(ring(2 ** 31)).toBeLessThan(2 ** 21);
  });
});
