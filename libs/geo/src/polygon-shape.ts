import { ringsOf, type PolygonArea } from './area.ts';
import { boxesOf, capBounds, type Bounds } from './cap.ts';
import { NEST } from './cell.ts';
import { EARTH_RADIUS_M } from './distance.ts';
import type { Shape } from './shape.ts';

const { abs, max, min } = Math;

/** A polygon's edge, straight in longitude and latitude. */
type Edge = readonly [lon1: number, lat1: number, lon2: number, lat2: number];

/**
 * A cap this small a part of the edge's length is left on the edge, so that a jagged polygon costs some ten thousand
 * cells and not a million. An edge of up to 30 000 km is followed to the stored resolution.
 */
const GRAIN = 1 / 10_000;

/** Rows of latitude for the rays of one polygon. */
const ROWS = 256;

/**
 * A polygon as a shape: a cap whose box in longitude and latitude no edge meets is on one side, that of its centre. So
 * is one cut by the antimeridian, for a polygon that reaches it has an edge there.
 */
export function polygonShape({ polygon }: PolygonArea): Shape {
  const all = ringsOf(polygon).flatMap((ring) => edgesOf(ring));
  const grainM = lengthM(all) * GRAIN;
  const encloses = enclosing(all);
  return near(all);

  function near(edges: readonly Edge[]): Shape {
    return (cap) => {
      const boxes = boxesOf(capBounds(cap));
      if (edges.some((edge) => meetsAny(edge, boxes))) {
        if (cap.radiusM < grainM) return 'edge';
        const wider = boxesOf(capBounds({ center: cap.center, radiusM: cap.radiusM * NEST }));
        return near(edges.filter((edge) => meetsAny(edge, wider)));
      }
      const inside = boxes.every(({ w, s, e, n }) => encloses((w + e) / 2, (s + n) / 2));
      return inside ? 'inside' : 'outside';
    };
  }
}

function edgesOf(ring: readonly (readonly number[])[]): Edge[] {
  return ring.slice(1).map((end, i) => {
    const start = ring[i];
    return [start?.[0] ?? NaN, start?.[1] ?? NaN, end[0] ?? NaN, end[1] ?? NaN];
  });
}

/** Along straight lines in longitude and latitude, to a few per cent. */
function lengthM(edges: readonly Edge[]): number {
  const radians = Math.PI / 180;
  const degrees = edges.map(([x1, y1, x2, y2]) => Math.hypot((x2 - x1) * Math.cos(((y1 + y2) / 2) * radians), y2 - y1));
  return degrees.reduce((sum, d) => sum + d, 0) * radians * EARTH_RADIUS_M;
}

function meetsAny(edge: Edge, boxes: readonly Bounds[]): boolean {
  return boxes.some((box) => meets(edge, box));
}

/** Degrees that an edge and a box may be apart and still meet: an edge along the antimeridian lies exactly on a box cut there. */
const TOUCH = 1e-9;

/** Separating axes: the two of the box and the normal of the edge. */
function meets([x1, y1, x2, y2]: Edge, { w, s, e, n }: Bounds): boolean {
  if (max(x1, x2) < w || min(x1, x2) > e) return false;
  if (max(y1, y2) < s || min(y1, y2) > n) return false;
  const dx = x2 - x1;
  const dy = y2 - y1;
  const offset = dx * ((s + n) / 2 - y1) - dy * ((w + e) / 2 - x1);
  return abs(offset) <= (abs(dx) * (n - s + TOUCH) + abs(dy) * (e - w + TOUCH)) / 2;
}

/**
 * Even-odd rule: a ray to the east crosses the edges of enclosing rings an odd number of times. Edges are kept by rows of
 * latitude, so that a ray looks at those of its row only: a coastline has thousands.
 */
function enclosing(edges: readonly Edge[]): (lon: number, lat: number) => boolean {
  const lats = edges.map(([, y1, , y2]) => [min(y1, y2), max(y1, y2)] as const);
  const south = lats.reduce((least, [low]) => min(least, low), Infinity);
  const north = lats.reduce((most, [, high]) => max(most, high), -Infinity);
  const height = (north - south) / ROWS || 1;
  const rowOf = (lat: number) => min(ROWS - 1, max(0, Math.floor((lat - south) / height)));
  const rows = Array.from({ length: ROWS }, (): Edge[] => []);
  edges.forEach((edge, i) => {
    const [low = 0, high = 0] = lats[i] ?? [];
    for (let row = rowOf(low); row <= rowOf(high); row++) rows[row]?.push(edge);
  });
  return (lon, lat) => {
    let inside = false;
    for (const [x1, y1, x2, y2] of rows[rowOf(lat)] ?? []) {
      if (y1 > lat !== y2 > lat && lon < x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    }
    return inside;
  };
}
