import { EARTH_RADIUS_M } from './distance.ts';
import type { LonLat } from './point.ts';

const { asin, cos, max, min, PI, sin } = Math;

/** All points within `radiusM` metres of `center` on the mean sphere. */
export interface Cap {
  readonly center: LonLat;
  readonly radiusM: number;
}

/** Degrees of longitude and latitude, west > east when it crosses the antimeridian (RFC 7946 §5.2). */
export interface Bounds {
  readonly w: number;
  readonly s: number;
  readonly e: number;
  readonly n: number;
}

/** Degrees added on each side against rounding; about 0.1 mm. */
const PAD = 1e-9;

/** The smallest bounds around a cap; all longitudes when it holds a pole. */
export function capBounds({ center, radiusM }: Cap): Bounds {
  const [lon, lat] = center;
  const angle = radiusM / EARTH_RADIUS_M;
  const height = degrees(angle) + PAD;
  const s = lat - height;
  const n = lat + height;
  if (s <= -90 || n >= 90) return { w: -180, s: max(-90, s), e: 180, n: min(90, n) };
  const width = degrees(asin(min(1, sin(angle) / cos(radians(lat))))) + PAD;
  if (width >= 180) return { w: -180, s, e: 180, n };
  return { w: wrap(lon - width), s, e: wrap(lon + width), n };
}

/** The same bounds as one or two boxes with w ≤ e, cut at the antimeridian. */
export function boxesOf(bounds: Bounds): readonly Bounds[] {
  if (bounds.w <= bounds.e) return [bounds];
  return [
    { ...bounds, e: 180 },
    { ...bounds, w: -180 },
  ];
}

function wrap(lon: number): number {
  if (lon > 180) return lon - 360;
  return lon < -180 ? lon + 360 : lon;
}

function degrees(rad: number): number {
  return (rad * 180) / PI;
}

function radians(deg: number): number {
  return (deg * PI) / 180;
}
