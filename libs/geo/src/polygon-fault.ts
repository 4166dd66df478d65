import type { MultiPolygon, Polygon, Position } from 'geojson';
import { lengthM } from './corridor.ts';
import { isLatitude, isLongitude, type LonLat } from './point.ts';

/** Positions a polygon may hold in all its rings together. */
export const MAX_POSITIONS = 1_000;

/**
 * How long the edges of all rings may be together, metres: ten times around the earth. A saw across a continent has no
 * inside worth the name, and takes a minute of work.
 */
const MAX_EDGES_M = 400_000_000;

/** Positions of the smallest ring: a triangle and its first position again (RFC 7946 §3.1.6). */
const MIN_RING_POSITIONS = 4;

/** What is wrong with a polygon's coordinates. */
export type PolygonFault = 'too_many_positions' | 'too_few_positions' | 'out_of_range' | 'ring_not_closed' | 'too_long';

/**
 * The first structural fault of a polygon, or null. Whether it crosses itself is PostGIS's to say (`ST_IsValidReason`).
 * Altitudes are ignored.
 */
export function polygonFault(polygon: Polygon | MultiPolygon): PolygonFault | null {
  const parts = polygon.type === 'Polygon' ? [polygon.coordinates] : polygon.coordinates;
  const rings = parts.flat();
  if (rings.reduce((sum, ring) => sum + ring.length, 0) > MAX_POSITIONS) return 'too_many_positions';
  if (parts.length === 0 || parts.some((part) => part.length === 0)) return 'too_few_positions';
  if (rings.some((ring) => ring.length < MIN_RING_POSITIONS)) return 'too_few_positions';
  if (!rings.every((ring) => ring.every(inRange))) return 'out_of_range';
  if (!rings.every(isClosed)) return 'ring_not_closed';
  return rings.reduce((sum, ring) => sum + edgesM(ring), 0) > MAX_EDGES_M ? 'too_long' : null;
}

function edgesM(ring: readonly Position[]): number {
  const corners = ring.map(([lon = NaN, lat = NaN]): LonLat => [lon, lat]);
  return corners.slice(1).reduce((sum, end, i) => sum + lengthM(corners[i] ?? end, end), 0);
}

function inRange(position: Position): boolean {
  return isLongitude(position[0]) && isLatitude(position[1]);
}

function isClosed(ring: readonly Position[]): boolean {
  const first = ring[0];
  const last = ring.at(-1);
  return first?.[0] === last?.[0] && first?.[1] === last?.[1];
}
