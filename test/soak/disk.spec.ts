import { describe, expect, it } from '@jest/globals';
import { growthOf, type Tables } from './disk.ts';

const KB = 1024;
const NONE: Tables = new Map();
const ROWS = 10_000;
const table = (rows: number, bytes: number): Tables =>
  new Map([['forwards', { rows, heapBytes: bytes / 2, indexBytes: bytes / 2 }]]);
/** A row of 100 bytes, and as many of indexes. */
const ANEW = table(ROWS, ROWS * 200);
/** All at once, in the thirtieth of sixty minutes. */
const burst = (rows: number) =>
  new Map([
    ['forwards', Array.from({ length: 60 }, (_, minute) => ({ at: minute * 60_000, value: minute < 30 ? 0 : rows }))],
  ]);

const isExplained = (bytes: number, turnedOver = burst(0)) => {
  const [growth] = growthOf(NONE, table(ROWS, bytes), ANEW, turnedOver);
  if (!growth) throw new Error('no growth');
  return growth.grownBytes <= growth.explainedBytes;
};

describe('a table’s growth', () => {
  it('is explained by its rows, with indexes grown by splits', () => {
    expect(isExplained(ROWS * 200)).toBe(true);
    expect(isExplained(ROWS * (100 + 180))).toBe(true);
  });

  it('is not where twice as much is taken', () => expect(isExplained(ROWS * 200 * 2)).toBe(false));

  it('is explained by rows that were all written anew at once, once', () => {
    expect(isExplained(ROWS * 2 * 280, burst(ROWS))).toBe(true);
    expect(isExplained(ROWS * 4 * 280, burst(ROWS))).toBe(false);
  });

  it('of a small table is a matter of pages', () => {
    const small = table(3, 100 * KB);
    expect(growthOf(NONE, small, small, burst(0))[0]?.explainedBytes).toBeGreaterThan(100 * KB);
  });
});
