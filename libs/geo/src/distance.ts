import type { LonLat } from './point.ts';

const { PI, atan, atan2, cos, max, sin, sqrt, tan } = Math;

/** Mean earth radius R₁ of WGS-84, metres (IUGG; Moritz, Geodetic Reference System 1980). */
export const EARTH_RADIUS_M = 6_371_008.8;

/**
 * Bound of |haversine ÷ geodesic − 1| and of |geodesic ÷ haversine − 1| on WGS-84. The ellipsoid's radii of curvature
 * run from 6 335 439 m (along the meridian, at the equator) to 6 399 594 m (at the poles), so every path is between
 * 0.99441 and 1.00449 times its image on the mean sphere, and with every path the shortest one.
 */
export const HAVERSINE_ERROR = 0.0057;

/** Width of a band of distance, metres: an audience is ordered nearest first to within one band. */
export const BAND_M = 2_000;

/** WGS-84 equatorial radius, metres, and flattening (NGA.STND.0036). */
const EQUATORIAL_RADIUS_M = 6_378_137;
const FLATTENING = 1 / 298.257_223_563;

/**
 * Relative error allowed for Lambert's formula up to `LAMBERT_LIMIT` radians (150°, some 16 700 km). Against
 * GeographicLib it errs by at most 1.5e-6 up to 90° and 6.7e-6 up to there, and without bound towards the antipode.
 */
const LAMBERT_ERROR = 3e-5;
const LAMBERT_LIMIT = (5 * PI) / 6;

const RADIANS = PI / 180;

/** Great-circle distance on the mean sphere, metres. */
export function haversineM(a: LonLat, b: LonLat): number {
  return EARTH_RADIUS_M * centralAngle(a[1] * RADIANS, b[1] * RADIANS, (b[0] - a[0]) * RADIANS);
}

/** The band of a distance in metres: 0 for the first 2 km, 1 for the next … */
export function bandOf(distanceM: number): number {
  return Math.floor(distanceM / BAND_M);
}

/**
 * Bounds of the WGS-84 geodesic distance between two points, metres. Lambert's formula for long lines (Lambert 1942;
 * Thomas, Spheroidal Geodesics, 1970) is haversine on reduced latitudes plus a term of first order in the flattening:
 * 190 times tighter than haversine, which keeps the edge of a big circle thin.
 */
export function geodesicBoundsM(a: LonLat, b: LonLat): readonly [low: number, high: number] {
  const lat1 = reducedLatitude(a[1]);
  const lat2 = reducedLatitude(b[1]);
  const angle = centralAngle(lat1, lat2, (b[0] - a[0]) * RADIANS);
  if (angle === 0) return [0, 0];
  if (angle > LAMBERT_LIMIT) return around(haversineM(a, b), HAVERSINE_ERROR);
  const distanceM = EQUATORIAL_RADIUS_M * (angle - (FLATTENING / 2) * lambertTerm(lat1, lat2, angle));
  return around(distanceM, LAMBERT_ERROR);
}

function lambertTerm(lat1: number, lat2: number, angle: number): number {
  const half = sin(angle / 2) ** 2;
  const mean = sin((lat1 + lat2) / 2) ** 2;
  const difference = sin((lat2 - lat1) / 2) ** 2;
  const sine = sin(angle);
  return ((angle - sine) * mean * (1 - difference)) / (1 - half) + ((angle + sine) * (1 - mean) * difference) / half;
}

function reducedLatitude(lat: number): number {
  return atan((1 - FLATTENING) * tan(lat * RADIANS));
}

/** All in radians. The two-argument arctangent stays exact towards the antipode. */
function centralAngle(lat1: number, lat2: number, lon: number): number {
  const h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(lon / 2) ** 2;
  return 2 * atan2(sqrt(h), sqrt(max(0, 1 - h)));
}

function around(distanceM: number, error: number): readonly [number, number] {
  return [distanceM * (1 - error), distanceM * (1 + error)];
}
