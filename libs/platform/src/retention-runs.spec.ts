import { describe, expect, it } from '@jest/globals';
import { inPieces, sumOver } from './retention-runs.ts';

describe('inPieces', () => {
  const finding = (...found: number[]) => {
    const limits: number[] = [];
    return { limits, piece: async (limit: number) => (limits.push(limit), found.shift() ?? 0) };
  };

  it('goes on while a piece is full, and adds up', async () => {
    const { limits, piece } = finding(5, 5, 2, 5);
    expect(await inPieces(5, 10, piece)).toBe(12);
    expect(limits).toEqual([5, 5, 5]);
  });

  it('leaves the rest to the next run', async () => {
    const { limits, piece } = finding(5, 5, 5, 5);
    expect(await inPieces(5, 2, piece)).toBe(10);
    expect(limits).toHaveLength(2);
  });
});

describe('sumOver', () => {
  it('does the others when one fails, and says so in the end', async () => {
    const done: number[] = [];
    const work = async (item: number) => {
      if (item === 2) throw new Error('two');
      return done.push(item);
    };
    await expect(sumOver([1, 2, 3], work)).rejects.toMatchObject({ errors: [new Error('two')] });
    expect(done).toEqual([1, 3]);
    expect(await sumOver([4, 5], async (item) => item)).toBe(9);
  });
});
