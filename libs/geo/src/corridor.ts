import type { LineString, MultiLineString } from 'geojson';
import type { LonLat } from './point.ts';

/**
 * Every point whose WGS-84 geodesic distance to some vertex of the line is at most `withinM` metres.
 *
 * The line's edges are straight in longitude and latitude (RFC 7946 §3.1.1); a line over the antimeridian is cut there into a
 * MultiLineString (§3.1.9). Vertices lie close together: each edge is cut into n parts that are equal in degrees, where
 * n = ⌈L ÷ √withinM⌉, at least 1, and L = {@link lengthM}. So vertices are at most √withinM metres apart, and the corridor is
 * nowhere more than about withinM − √(withinM² − withinM ÷ 4) = 12.5 cm narrower than one around the line itself.
 */
export interface Corridor {
  readonly kind: 'corridor';
  readonly line: LineString | MultiLineString;
  readonly withinM: number;
}

/** Vertices `from` to `to` of the edge that begins at position `edge`, counted from 0 over all parts of the line. */
export interface Stretch {
  readonly edge: number;
  readonly from: number;
  readonly to: number;
}

/** WGS-84's greatest radius of curvature, at the poles: no degree is longer anywhere. */
const GREATEST_RADIUS_M = 6_399_594;

const RADIANS = Math.PI / 180;

/** A corridor's line, ready to be walked. */
export interface Line {
  /** Of all parts of the line, one after the other. */
  readonly positions: readonly LonLat[];
  /** Parts of the edge that begins at each position; 0 at the last position of a part of the line. */
  readonly cuts: readonly number[];
  /** No two neighbouring vertices are further apart, metres. */
  readonly stepM: number;
}

export function lineOf({ line, withinM }: Corridor): Line {
  const stepM = Math.sqrt(withinM);
  const strings = line.type === 'LineString' ? [line.coordinates] : line.coordinates;
  const parts = strings.map((string) => string.map(([lon = NaN, lat = NaN]): LonLat => [lon, lat]));
  const cuts = parts.flatMap((part) =>
    part.map((start, i) => {
      const end = part[i + 1];
      return end ? Math.max(1, Math.ceil(lengthM(start, end) / stepM)) : 0;
    }),
  );
  return { positions: parts.flat(), cuts, stepM };
}

/**
 * A bound of the length of an edge, from above, metres: 6 399 594 × hypot(Δlon × cos φ, Δlat) in radians, where φ is its
 * latitude nearest the equator.
 */
export function lengthM([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const lowest = lat1 * lat2 < 0 ? 0 : Math.min(Math.abs(lat1), Math.abs(lat2));
  const east = (lon2 - lon1) * Math.cos(lowest * RADIANS);
  return GREATEST_RADIUS_M * RADIANS * Math.hypot(east, lat2 - lat1);
}

/** A bound of the length of a corridor's line, from above, metres. */
export function lineM(corridor: Corridor): number {
  const { positions, cuts } = lineOf(corridor);
  return positions.reduce((sum, start, i) => sum + (cuts[i] ? lengthM(start, positions[i + 1] ?? start) : 0), 0);
}

/** Vertex `i` of an edge. PostgreSQL calculates the same to the last bit: see the audience's inside test. */
export function vertexOf({ positions, cuts }: Line, edge: number, i: number): LonLat {
  const [lon1, lat1] = positions[edge] ?? [NaN, NaN];
  const [lon2, lat2] = positions[edge + 1] ?? [NaN, NaN];
  const n = cuts[edge] ?? NaN;
  return [(lon1 * (n - i) + lon2 * i) / n, (lat1 * (n - i) + lat2 * i) / n];
}

/** All vertices of the line, an edge at a time. */
export function stretchesOf({ cuts }: Line): Stretch[] {
  return cuts.flatMap((n, edge) => (n > 0 ? [{ edge, from: 0, to: n }] : []));
}
