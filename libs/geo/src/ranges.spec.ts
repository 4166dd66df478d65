import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import type { CellRange } from './cell.ts';
import { difference, intersection, union } from './ranges.ts';

const SIZE = 40;
/** Sorted, disjoint ranges over the ids 0–39, some of which touch. */
const ranges = fc.array(fc.nat({ max: SIZE - 1 }), { maxLength: 12 }).map((cuts) => {
  const sorted = [...new Set(cuts)].sort((a, b) => a - b);
  return sorted.flatMap((lo, i) => {
    const hi = sorted[i + 1];
    return i % 2 === 0 && hi !== undefined ? [{ lo: BigInt(lo), hi: BigInt(hi) - (i % 4 === 0 ? 0n : 1n) }] : [];
  });
});

const idsOf = (list: readonly CellRange[]) =>
  Array.from({ length: SIZE }, (_, id) => BigInt(id)).filter((id) => list.some(({ lo, hi }) => lo <= id && id <= hi));

const sorted = (list: readonly CellRange[]) =>
  list.every(({ lo, hi }, i) => lo <= hi && (i === 0 || (list[i - 1] as CellRange).hi < lo));

describe('ranges are sets of ids', () => {
  it.each([
    ['intersection', intersection, (a: bigint[], b: bigint[]) => a.filter((id) => b.includes(id))],
    ['difference', difference, (a: bigint[], b: bigint[]) => a.filter((id) => !b.includes(id))],
    ['union', union, (a: bigint[], b: bigint[]) => [...new Set([...a, ...b])].sort((x, y) => (x < y ? -1 : 1))],
  ] as const)('%s', (_, operation, oracle) => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const result = operation(a, b);
        return sorted(result) && idsOf(result).join() === oracle(idsOf(a), idsOf(b)).join();
      }),
      { numRuns: 2_000 },
    );
  });
});
