import { cellToChildren, getRes0Cells } from 'h3-js';
import type { Area } from './area.ts';
import { blockOf, capOf, CELL_RESOLUTION, type CellRange, wideCapOf } from './cell.ts';
import { circleShape } from './circle-shape.ts';
import { corridorShape } from './corridor-shape.ts';
import type { Stretch } from './corridor.ts';
import { isLonLat } from './point.ts';
import { polygonShape } from './polygon-shape.ts';
import { intersection } from './ranges.ts';
import type { Shape, Side } from './shape.ts';
import { atOnce, inTurns, type Steps } from './turns.ts';

/**
 * An area as ranges of stored cells: a point in `whole` is inside, a point in neither is outside, a point in `edge` is
 * to be tested itself. Each list is sorted and disjoint, and merged as far as it goes.
 */
export interface Cover {
  readonly whole: readonly CellRange[];
  readonly edge: readonly EdgeRange[];
}

/** Cells on an edge. */
export interface EdgeRange extends CellRange {
  /** Of a corridor: the stretches of its line that these cells' points are to be tested against, and no others. */
  readonly near?: readonly Stretch[];
}

/** Successive cells of one side, of any resolution. */
interface Run extends EdgeRange {
  readonly side: Side;
  hi: bigint;
}

interface Visit {
  readonly cell: string;
  readonly resolution: number;
  readonly shape: Shape;
}

/**
 * Covers an area with cells, descending from the 122 base cells only where its edge passes: work and ranges grow with
 * the edge's length, not with the area. That takes milliseconds for a city and about 100 ms for a continent: where
 * requests are answered, use {@link coverInTurns}. The area must be free of `areaFault`s.
 * Throws RangeError for a circle whose centre is out of range or whose radius is negative or not finite.
 */
export function cover(area: Area): Cover {
  return atOnce(coverSteps(area));
}

/** The same, with the event loop free every few milliseconds. */
export function coverInTurns(area: Area): Promise<Cover> {
  return inTurns(coverSteps(area));
}

/** Throws RangeError as {@link cover} does. */
export function shapeOf(area: Area): Shape {
  if (area.kind === 'polygon') return polygonShape(area);
  if (area.kind === 'corridor') return corridorShape(area);
  if (!isLonLat(area.center)) throw new RangeError('the centre of a circle must be in range');
  if (!(area.radiusM >= 0 && area.radiusM < Infinity))
    throw new RangeError('the radius must be finite and not negative');
  return circleShape(area);
}

/** Visits cells in the order of their ids, so that runs come out sorted and nothing valid lies between two of them. */
function* coverSteps(area: Area): Steps<Cover> {
  const runs: Run[] = [];
  const shape = shapeOf(area);
  const pending: Visit[] = getRes0Cells().map((cell) => ({ cell, resolution: 0, shape }));
  pending.reverse();
  for (let visit = pending.pop(); visit; visit = pending.pop()) {
    pending.push(...look(visit, runs).reverse());
    yield;
  }
  return { whole: rangesOf(runs, 'inside'), edge: rangesOf(runs, 'edge') };
}

/** @returns the children to look at next, in order */
function look({ cell, resolution, shape }: Visit, runs: Run[]): Visit[] {
  const answer = askOf(shape, cell, resolution);
  const block = blockOf(cell, resolution);
  if (typeof answer === 'string') extend(runs, { ...block, side: answer });
  else if (resolution === CELL_RESOLUTION) extend(runs, { ...block, side: 'edge', ...nearOf(answer) });
  else return cellToChildren(cell, resolution + 1).map((child) => ({ cell: child, resolution: resolution + 1, shape: answer })); // prettier-ignore
  return [];
}

/** Most cells are settled by a cap that is too wide, and of the smallest those on the edge are soon tested themselves. */
function askOf(shape: Shape, cell: string, resolution: number): Side | Shape {
  const answer = shape(wideCapOf(cell, resolution));
  if (typeof answer === 'string' || resolution === CELL_RESOLUTION) return answer;
  return shape(capOf(cell, resolution));
}

function nearOf({ near }: Shape): Pick<EdgeRange, 'near'> {
  return near ? { near } : {};
}

function extend(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last?.side === run.side && !last.near && !run.near) last.hi = run.hi;
  else runs.push(run);
}

function rangesOf(runs: readonly Run[], side: Side): EdgeRange[] {
  return runs.filter((run) => run.side === side).map(({ side: _, ...range }) => range);
}

/** What of an edge lies in these ranges: cut where other stretches of a corridor are near. */
export function edgeIn(ranges: readonly CellRange[], edge: readonly EdgeRange[]): EdgeRange[] {
  let i = 0;
  return intersection(ranges, edge).map((part) => {
    while ((edge[i]?.hi ?? part.lo) < part.lo) i++;
    return { ...edge[i], ...part };
  });
}
