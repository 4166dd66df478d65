import { cellToChildren, getRes0Cells } from 'h3-js';
import { type Area, areaBounds } from './area.ts';
import { blockOf, capOf, type CellRange } from './cell.ts';
import { shapeOf } from './cover.ts';
import { lineM } from './corridor.ts';
import { haversineM } from './distance.ts';
import type { Shape } from './shape.ts';
import { atOnce, inTurns, type Steps } from './turns.ts';

/** A part of the earth that is fixed, whatever is asked: an H3 cell far larger than a stored one. */
export interface Tract {
  readonly id: bigint;
  /** The stored cells in it. */
  readonly cells: CellRange;
  /** How much of it an area takes, 0 to 1, to about a fiftieth. */
  readonly share: number;
}

export interface Tracts {
  /** What a stored cell is shifted right by to become its tract's id. */
  readonly shift: number;
  readonly tracts: readonly Tract[];
}

/** Tracts of 36, 253, 1 770 and 12 393 km² on average (h3geo.org), each for areas up to so many km². */
const SIZES = [
  { resolution: 6, upToKm2: 10_000 },
  { resolution: 5, upToKm2: 100_000 },
  { resolution: 4, upToKm2: 1_000_000 },
  { resolution: 3, upToKm2: Infinity },
];

/** Levels below a tract at which its share is measured: 49 places. */
const SHARE_LEVELS = 2;

/** The tracts that an area touches; the larger the area, the larger they are, so that there are some hundreds at most. */
export function tractsOf(area: Area): Tracts {
  return atOnce(tractSteps(area));
}

/** The same, with the event loop free every few milliseconds. */
export function tractsInTurns(area: Area): Promise<Tracts> {
  return inTurns(tractSteps(area));
}

function* tractSteps(area: Area): Steps<Tracts> {
  const km2 = roughKm2(area);
  const resolution = SIZES.find(({ upToKm2 }) => km2 <= upToKm2)?.resolution ?? 3;
  const shift = 3 * (15 - resolution);
  const tracts: Tract[] = [];
  const shape = shapeOf(area);
  for (const cell of getRes0Cells()) yield* descend(cell, 0, shape);
  return { shift, tracts };

  function* descend(cell: string, level: number, shape: Shape): Steps<void> {
    yield;
    const answer = shape(capOf(cell, level));
    if (answer === 'outside') return;
    if (level === resolution) return add(cell, answer === 'inside' ? 1 : shareOf(cell, level, shape, SHARE_LEVELS));
    if (answer === 'inside') for (const tract of cellToChildren(cell, resolution)) add(tract, 1);
    else
      for (const child of cellToChildren(cell, level + 1))
        yield* descend(child, level + 1, answer === 'edge' ? shape : answer);
  }

  function add(cell: string, share: number): void {
    const cells = blockOf(cell, resolution);
    tracts.push({ id: cells.lo >> BigInt(shift), cells, share });
  }
}

function shareOf(cell: string, level: number, shape: Shape, levels: number): number {
  const answer = shape(capOf(cell, level));
  if (answer === 'outside') return 0;
  if (answer === 'inside') return 1;
  if (levels === 0 || answer === 'edge') return 0.5;
  const children = cellToChildren(cell, level + 1);
  return children.reduce((sum, child) => sum + shareOf(child, level + 1, answer, levels - 1), 0) / children.length;
}

/** Of the bounds around it; of a corridor, which fills little of them, its length by its width. */
function roughKm2(area: Area): number {
  if (area.kind === 'corridor') return (lineM(area) + 2 * area.withinM) * 2 * area.withinM * 1e-6;
  const { w, s, e, n } = areaBounds(area);
  const width = (e - w + 360) % 360 || 360;
  const middle = (s + n) / 2;
  const heightM = haversineM([0, s], [0, n]);
  return (width * 111_320 * Math.cos((middle * Math.PI) / 180) * heightM) / 1e6;
}
