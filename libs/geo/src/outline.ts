import type { MultiPolygon, Polygon, Position } from 'geojson';
import { areaBounds, type Area, type Circle, linksOf } from './area.ts';
import { type Bounds, capBounds } from './cap.ts';
import type { Corridor } from './corridor.ts';
import { EARTH_RADIUS_M, geodesicBoundsM } from './distance.ts';
import type { LonLat } from './point.ts';

/** Corners of a circle's outline; on a circle of 500 km one side is 12 km. */
const CORNERS = 256;

/**
 * How much further than the circle a side's middle lies: enough for what a side that is straight in degrees leaves the great
 * circle by, up to {@link POLAR}, and for Lambert's formula.
 */
const MARGIN = 1.0004;

/** Degrees of latitude beyond which a circle's outline is its bounds: near a pole, straight in degrees is no line at all. */
const POLAR = 85;

/**
 * A polygon that holds the whole area: a polygon itself, for a circle one that is up to 0.06 % wider, and for a corridor boxes
 * along it, which overlap and are to be united. Edges are straight in longitude and latitude. A circle or box over the
 * antimeridian goes on past ±180°, and is to be cut there.
 */
export function outline(area: Area): Polygon | MultiPolygon {
  if (area.kind === 'polygon') return area.polygon;
  return area.kind === 'circle' ? circleOutline(area) : corridorOutline(area);
}

function corridorOutline(corridor: Corridor): MultiPolygon {
  return { type: 'MultiPolygon', coordinates: linksOf(corridor).map((link) => [boxRing(capBounds(link))]) };
}

function circleOutline(circle: Circle): Polygon {
  const angle = (circle.radiusM * MARGIN) / EARTH_RADIUS_M / Math.cos(Math.PI / CORNERS);
  if (Math.abs(circle.center[1]) + (angle * 180) / Math.PI > POLAR) return boxOutline(circle);
  const corners = Array.from({ length: CORNERS }, (_, i) => corner(circle, (2 * Math.PI * i) / CORNERS, angle));
  return { type: 'Polygon', coordinates: [[...corners, corners[0] as Position]] };
}

/** The sphere's angle, corrected by what the ellipsoid makes of it in this direction. */
function corner({ center }: Circle, bearing: number, angle: number): Position {
  const [shortestM] = geodesicBoundsM(center, destination(center, bearing, angle));
  const correction = shortestM > 0 ? (angle * EARTH_RADIUS_M) / shortestM : 1;
  return [...destination(center, bearing, angle * correction)];
}

function boxOutline(circle: Circle): Polygon {
  return { type: 'Polygon', coordinates: [boxRing(areaBounds(circle))] };
}

function boxRing({ w, s, e, n }: Bounds): Position[] {
  const east = e < w ? e + 360 : e;
  return [[w, s], [east, s], [east, n], [w, n], [w, s]]; // prettier-ignore
}

/** Where a great circle leads from `from`; `bearing` from north, both in radians. Longitudes run on past ±180°. */
function destination([lon, lat]: LonLat, bearing: number, angle: number): LonLat {
  const phi = (lat * Math.PI) / 180;
  const north = Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(bearing);
  const x = Math.cos(angle) - Math.sin(phi) * north;
  const east = Math.atan2(Math.sin(bearing) * Math.sin(angle) * Math.cos(phi), x);
  return [lon + (east * 180) / Math.PI, (Math.asin(north) * 180) / Math.PI];
}
