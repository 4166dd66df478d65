import type { CellRange } from './cell.ts';

/** The ids that both hold. All lists are sorted and disjoint. */
export function intersection(a: readonly CellRange[], b: readonly CellRange[]): CellRange[] {
  const common: CellRange[] = [];
  let [i, j] = [0, 0];
  for (let [x, y] = [a[i], b[j]]; x && y; [x, y] = [a[i], b[j]]) {
    const lo = x.lo > y.lo ? x.lo : y.lo;
    const hi = x.hi < y.hi ? x.hi : y.hi;
    if (lo <= hi) common.push({ lo, hi });
    if (x.hi < y.hi) i++;
    else j++;
  }
  return common;
}

/** The ids of `a` that `b` does not hold. All lists are sorted and disjoint. */
export function difference(a: readonly CellRange[], b: readonly CellRange[]): CellRange[] {
  const rest: CellRange[] = [];
  let j = 0;
  for (const { lo, hi } of a) {
    let from = lo;
    while ((b[j]?.hi ?? hi) < from) j++;
    for (let k = j; from <= hi; k++) {
      const cut = b[k];
      if (!cut || cut.lo > hi) {
        rest.push({ lo: from, hi });
        break;
      }
      if (cut.lo > from) rest.push({ lo: from, hi: cut.lo - 1n });
      from = cut.hi + 1n;
    }
  }
  return rest;
}

/** The ids that either holds, merged where they touch. All lists are sorted and disjoint. */
export function union(a: readonly CellRange[], b: readonly CellRange[]): CellRange[] {
  const merged: { lo: bigint; hi: bigint }[] = [];
  for (const { lo, hi } of [...a, ...b].sort((x, y) => (x.lo < y.lo ? -1 : 1))) {
    const last = merged.at(-1);
    if (last && lo <= last.hi + 1n) last.hi = hi > last.hi ? hi : last.hi;
    else merged.push({ lo, hi });
  }
  return merged;
}
