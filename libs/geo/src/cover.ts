import { cellToChildren, getRes0Cells } from 'h3-js';
import type { Area } from './area.ts';
import { blockOf, capOf, CELL_RESOLUTION, type CellRange } from './cell.ts';
import { circleShape } from './circle-shape.ts';
import { polygonShape } from './polygon-shape.ts';
import type { Shape, Side } from './shape.ts';
import { isLonLat } from './point.ts';

/**
 * An area as ranges of stored cells: a point in `whole` is inside, a point in neither is outside, a point in `edge` is
 * to be tested itself. Each list is sorted, disjoint and merged as far as it goes.
 */
export interface Cover {
  readonly whole: readonly CellRange[];
  readonly edge: readonly CellRange[];
}

/** Successive cells of one side, of any resolution. */
interface Run {
  readonly side: Side;
  readonly lo: bigint;
  hi: bigint;
}

/**
 * Covers an area with cells, descending from the 122 base cells only where its edge passes: work and ranges grow with
 * the edge's length, not with the area. That takes milliseconds for a city and about 100 ms for a continent, so it is
 * no work for a request's thread. A polygon must be free of `polygonFault`s.
 * Throws RangeError for a circle whose centre is out of range or whose radius is negative or not finite.
 */
export function cover(area: Area): Cover {
  const runs: Run[] = [];
  const shape = shapeOf(area);
  for (const cell of getRes0Cells()) descend(cell, 0, shape, runs);
  return { whole: rangesOf(runs, 'inside'), edge: rangesOf(runs, 'edge') };
}

/** Throws RangeError as {@link cover} does. */
export function shapeOf(area: Area): Shape {
  if (area.kind === 'polygon') return polygonShape(area);
  if (!isLonLat(area.center)) throw new RangeError('the centre of a circle must be in range');
  if (!(area.radiusM >= 0 && area.radiusM < Infinity))
    throw new RangeError('the radius must be finite and not negative');
  return circleShape(area);
}

/** Visits cells in the order of their ids, so that runs come out sorted and nothing valid lies between two of them. */
function descend(cell: string, resolution: number, shape: Shape, runs: Run[]): void {
  const answer = shape(capOf(cell, resolution));
  if (typeof answer === 'string') return extend(runs, answer, blockOf(cell, resolution));
  if (resolution === CELL_RESOLUTION) return extend(runs, 'edge', blockOf(cell, resolution));
  for (const child of cellToChildren(cell, resolution + 1)) descend(child, resolution + 1, answer, runs);
}

function extend(runs: Run[], side: Side, { lo, hi }: CellRange): void {
  const last = runs.at(-1);
  if (last?.side === side) last.hi = hi;
  else runs.push({ side, lo, hi });
}

function rangesOf(runs: readonly Run[], side: Side): CellRange[] {
  return runs.filter((run) => run.side === side).map(({ lo, hi }) => ({ lo, hi }));
}
