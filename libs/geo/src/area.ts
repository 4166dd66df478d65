import type { MultiPolygon, Polygon, Position } from 'geojson';
import { capBounds, type Bounds } from './cap.ts';
import { HAVERSINE_ERROR } from './distance.ts';
import type { LonLat } from './point.ts';

/** Every point whose WGS-84 geodesic distance from `center` is at most `radiusM` metres. */
export interface Circle {
  readonly kind: 'circle';
  readonly center: LonLat;
  readonly radiusM: number;
}

/**
 * Every point inside or on the edge, holes left out. Edges are straight in longitude and latitude (RFC 7946 §3.1.1); a
 * polygon over the antimeridian is cut there into a MultiPolygon (§3.1.9).
 */
export interface PolygonArea {
  readonly kind: 'polygon';
  readonly polygon: Polygon | MultiPolygon;
}

/** Where an alert goes. */
export type Area = Circle | PolygonArea;

/**
 * Bounds that hold the whole area; a circle's are up to 1.2 % wider than it needs. A polygon's parts are bounded the
 * short way round the earth. Throws RangeError for a polygon without positions.
 */
export function areaBounds(area: Area): Bounds {
  if (area.kind === 'circle') return capBounds({ center: area.center, radiusM: area.radiusM * (1 + HAVERSINE_ERROR) });
  return polygonBounds(area.polygon);
}

/** All rings of all parts: a valid polygon is what an odd number of them encloses. */
export function ringsOf(polygon: Polygon | MultiPolygon): readonly Position[][] {
  return polygon.type === 'Polygon' ? polygon.coordinates : polygon.coordinates.flat();
}

type Interval = readonly [w: number, e: number];

function polygonBounds(polygon: Polygon | MultiPolygon): Bounds {
  const rings = ringsOf(polygon).filter((ring) => ring.length > 0);
  if (rings.length === 0) throw new RangeError('a polygon without positions has no bounds');
  const lats = rings.flat().map((position) => position[1] ?? NaN);
  const [w, e] = narrowest(rings.map(longitudes));
  return { w, s: Math.min(...lats), e, n: Math.max(...lats) };
}

function longitudes(ring: readonly Position[]): Interval {
  const lons = ring.map((position) => position[0] ?? NaN);
  return [Math.min(...lons), Math.max(...lons)];
}

/** The shortest way round the earth that holds all intervals: everything but the widest gap between them. */
function narrowest(intervals: readonly Interval[]): Interval {
  const sorted = [...intervals].sort((a, b) => a[0] - b[0]);
  const w = sorted[0]?.[0] ?? NaN;
  let reached = w;
  let gap = 0;
  let best: Interval = [w, Math.max(...sorted.map((interval) => interval[1]))];
  const around = w + 360 - best[1];
  for (const [start, end] of sorted) {
    if (start - reached > Math.max(gap, around)) {
      gap = start - reached;
      best = [start, reached];
    }
    reached = Math.max(reached, end);
  }
  return best;
}
