import { type Corridor, lineM } from './corridor.ts';
import { isLatitude, isLongitude } from './point.ts';
import { MAX_POSITIONS } from './polygon-fault.ts';

/** A corridor's bounds: how far from its line, and how long the line, metres. */
export const MIN_WITHIN_M = 500;
export const MAX_WITHIN_M = 100_000;
const MAX_LINE_M = 3_000_000;

/** What is wrong with a corridor. */
export type CorridorFault =
  'width_out_of_range' | 'too_many_positions' | 'too_few_positions' | 'out_of_range' | 'over_antimeridian' | 'too_long';

/** The first fault of a corridor, or null. A line that crosses itself or doubles back is sound. Altitudes are ignored. */
export function corridorFault(corridor: Corridor): CorridorFault | null {
  const { line, withinM } = corridor;
  if (!(withinM >= MIN_WITHIN_M && withinM <= MAX_WITHIN_M)) return 'width_out_of_range';
  const parts = line.type === 'LineString' ? [line.coordinates] : line.coordinates;
  if (parts.reduce((sum, part) => sum + part.length, 0) > MAX_POSITIONS) return 'too_many_positions';
  if (parts.length === 0 || parts.some((part) => part.length < 2)) return 'too_few_positions';
  if (!parts.flat().every(([lon, lat]) => isLongitude(lon) && isLatitude(lat))) return 'out_of_range';
  if (parts.some((part) => part.some(([lon = 0], i) => Math.abs((part[i + 1]?.[0] ?? lon) - lon) > 180)))
    return 'over_antimeridian';
  return lineM(corridor) > MAX_LINE_M ? 'too_long' : null;
}
