import type { LonLat } from './point.ts';

/** Rows of the grid in a degree of latitude: one row is 0.01°, 1.106–1.117 km. */
const ROWS_PER_DEGREE = 100;

/** Columns of the row at the equator, so that a column there is as wide as a row is high. */
const EQUATOR_COLUMNS = 360 * ROWS_PER_DEGREE;

/**
 * Snaps a position to a grid of about 1.1 km, so that no one's place is held any finer. Each row divides its circle of
 * latitude into whole columns, as many as keep a column at most 1.114 km wide. The answer is never further than 0.8 km
 * from `p`, snaps to exactly itself, and has -180 ≤ lon < 180; a pole is one point.
 */
export function coarsen(p: LonLat): LonLat {
  const row = Math.round(p[1] * ROWS_PER_DEGREE);
  const columns = columnsOf(row);
  const column = Math.round(((p[0] + 180) / 360) * columns) % columns;
  return [(column * 360) / columns - 180, unsigned(row / ROWS_PER_DEGREE)];
}

/** Counted on the row's edge towards the equator, its widest circle. */
function columnsOf(row: number): number {
  const degrees = Math.abs(row) / ROWS_PER_DEGREE;
  if (degrees >= 90) return 1;
  const widest = Math.max(0, degrees - 0.5 / ROWS_PER_DEGREE);
  return Math.ceil(EQUATOR_COLUMNS * Math.cos((widest * Math.PI) / 180));
}

/** Turns -0 into 0, so that equal positions are also the same text. */
function unsigned(x: number): number {
  return x + 0;
}
