import type { MultiPolygon, Polygon, Position } from 'geojson';
import { boxesOf, type Cap, capBounds, type Bounds } from './cap.ts';
import { type Corridor, lengthM, lineOf, vertexOf } from './corridor.ts';
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
export type Area = Circle | PolygonArea | Corridor;

/**
 * Bounds that hold the whole area; a circle's are up to 1.2 % wider than it needs, a corridor's a little more. Parts of a
 * polygon or line are bounded the short way round the earth. Throws RangeError for a polygon or line without positions.
 */
export function areaBounds(area: Area): Bounds {
  if (area.kind === 'circle') return capBounds({ center: area.center, radiusM: area.radiusM * (1 + HAVERSINE_ERROR) });
  return area.kind === 'polygon' ? polygonBounds(area.polygon) : corridorBounds(area);
}

/** Links that a long corridor is made of, at most, beside one for each of its edges. */
const LINKS = 500;

/** Caps along a corridor that hold all of it. */
export function linksOf(corridor: Corridor): Cap[] {
  const line = lineOf(corridor);
  const edges = line.cuts.flatMap((cuts, edge) => {
    const [start, end] = [line.positions[edge], line.positions[edge + 1]];
    return cuts > 0 && start && end ? [{ edge, cuts, edgeM: lengthM(start, end) }] : [];
  });
  const longestM = Math.max(corridor.withinM / 8, edges.reduce((sum, { edgeM }) => sum + edgeM, 0) / LINKS);
  return edges.flatMap(({ edge, cuts, edgeM }) => {
    const links = Math.max(1, Math.ceil(edgeM / longestM));
    const radiusM = (corridor.withinM + edgeM / links / 2) * (1 + HAVERSINE_ERROR);
    return Array.from({ length: links }, (_, i) => ({ center: vertexOf(line, edge, ((i + 0.5) / links) * cuts), radiusM })); // prettier-ignore
  });
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

function corridorBounds(corridor: Corridor): Bounds {
  const boxes = linksOf(corridor).flatMap((link) => boxesOf(capBounds(link)));
  if (boxes.length === 0) throw new RangeError('a line without positions has no bounds');
  const [w, e] = narrowest(boxes.map((box) => [box.w, box.e]));
  return { w, s: Math.min(...boxes.map((box) => box.s)), e, n: Math.max(...boxes.map((box) => box.n)) };
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
