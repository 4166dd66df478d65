/** A place on the earth: WGS-84 degrees in GeoJSON order, longitude first (RFC 7946 §3.1.1, §4). */
export type LonLat = readonly [lon: number, lat: number];

/** True for a finite longitude within ±180 and a finite latitude within ±90. */
export function isLonLat(p: readonly number[]): p is LonLat {
  const [lon, lat] = p;
  return p.length === 2 && isLongitude(lon) && isLatitude(lat);
}

/** Infinities and NaN fail, too. */
export function isLongitude(lon: number | undefined): lon is number {
  return lon !== undefined && Math.abs(lon) <= 180;
}

export function isLatitude(lat: number | undefined): lat is number {
  return lat !== undefined && Math.abs(lat) <= 90;
}
