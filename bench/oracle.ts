import geographiclib from 'geographiclib-geodesic';
import type { Client } from 'pg';
import { HAVERSINE_ERROR, haversineM, type LonLat } from '#geo';

const WGS84 = geographiclib.Geodesic.WGS84;

/** How far around the circle stored points are looked at one by one; beyond, the great circle is proof enough. */
const NEAR = 1.1;
/** Shorter than a degree of latitude is anywhere. */
const METRES_PER_DEGREE = 110_500;

/**
 * The devices inside a circle whose positions are fresh, by GeographicLib (WGS-84) at every stored point up to {@link NEAR} times
 * the radius: neither cells nor PostGIS have a say. Not for circles that hold a pole or the antimeridian.
 */
export async function insideByGeodesic(
  client: Client,
  center: LonLat,
  radiusM: number,
  freshSince: Date,
): Promise<Set<number>> {
  const dLat = (NEAR * radiusM) / METRES_PER_DEGREE;
  const dLon = dLat / Math.cos(((Math.abs(center[1]) + dLat) * Math.PI) / 180);
  const { rows } = await client.query<[string, number, number]>({
    text: `SELECT device_id, lon, lat FROM positions
           WHERE lon BETWEEN $1 AND $2 AND lat BETWEEN $3 AND $4 AND seen_at > $5`,
    values: [center[0] - dLon, center[0] + dLon, center[1] - dLat, center[1] + dLat, freshSince],
    rowMode: 'array',
  });
  const known = new Map<string, boolean>();
  const inside = new Set<number>();
  for (const [id, lon, lat] of rows) {
    const key = `${lon} ${lat}`;
    let answer = known.get(key);
    if (answer === undefined) known.set(key, (answer = holds(center, radiusM, [lon, lat])));
    if (answer) inside.add(Number(id));
  }
  return inside;
}

function holds(center: LonLat, radiusM: number, point: LonLat): boolean {
  if (haversineM(center, point) > NEAR * radiusM * (1 + HAVERSINE_ERROR)) return false;
  const { s12 } = WGS84.Inverse(center[1], center[0], point[1], point[0]);
  return s12 !== undefined && s12 <= radiusM;
}

/** How many are in one and not in the other. */
export function differences(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let found = 0;
  for (const id of a) if (!b.has(id)) found++;
  for (const id of b) if (!a.has(id)) found++;
  return found;
}
