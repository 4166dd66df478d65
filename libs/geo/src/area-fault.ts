import type { Area } from './area.ts';
import { corridorFault, type CorridorFault } from './corridor-fault.ts';
import { polygonFault, type PolygonFault } from './polygon-fault.ts';

/** The widest circle that is covered, metres. */
export const MAX_RADIUS_M = 2_000_000;

export type AreaFault = PolygonFault | CorridorFault | 'radius_out_of_range';

/** The first fault of an area, or null. What has none is covered in a fraction of a second. */
export function areaFault(area: Area): AreaFault | null {
  if (area.kind === 'polygon') return polygonFault(area.polygon);
  if (area.kind === 'corridor') return corridorFault(area);
  return area.radiusM >= 0 && area.radiusM <= MAX_RADIUS_M ? null : 'radius_out_of_range';
}
