import { type Corridor, EARTH_RADIUS_M, type EdgeRange, HAVERSINE_ERROR, lineOf } from '#geo';
import type { Place } from './audience-ranges.ts';

/** Whether point `p` of a cell on the edge is inside, as SQL. */
export interface InsideTest {
  readonly sql: string;
  /** Parameters from `$11` on. */
  readonly parameters: readonly unknown[];
  /** Arrays to be unnested beside the ranges, and what `sql` calls their elements, of `p`. */
  readonly columns: string;
  readonly names: string;
}

export const POINT = 'ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)';
const GEOGRAPHY = 'ST_MakePoint(p.lon, p.lat)::geography';

const ALONE = { columns: '', names: '' };

/** Distance is geodesic on the ellipsoid; polygon edges are straight in longitude and latitude (RFC 7946). */
export function insideTest(area: Place, ranges: readonly EdgeRange[]): InsideTest {
  if (area.kind === 'cells') return { sql: 'true', parameters: [], ...ALONE };
  if (area.kind === 'part') return insideTest(area.of, ranges);
  if (area.kind === 'corridor') return nearLine(area, ranges);
  if (area.kind === 'circle') {
    return {
      sql: `ST_DWithin(${GEOGRAPHY}, ST_MakePoint($11, $12)::geography, $13)`,
      parameters: [area.center[0], area.center[1], area.radiusM],
      ...ALONE,
    };
  }
  return {
    sql: `ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON($11::text), 4326), ${POINT})`,
    parameters: [JSON.stringify(area.polygon)],
    ...ALONE,
  };
}

/** Vertex `i` of a stretch's edge: the arithmetic of geo's `vertexOf`, bit by bit. */
const lon = (i: string) => `((edge.lon1 * (edge.n - ${i}) + edge.lon2 * ${i}) / edge.n)`;
const lat = (i: string) => `((edge.lat1 * (edge.n - ${i}) + edge.lat2 * ${i}) / edge.n)`;

/** Haversine of the angle between the position and vertex `i`, and of half an angle that is so many metres long. */
const angle = (i: string) =>
  `sin(radians(${lat(i)} - p.lat) / 2) ^ 2 + cos(radians(p.lat)) * cos(radians(${lat(i)})) * sin(radians(${lon(i)} - p.lon) / 2) ^ 2`;
const haversine = (metres: string) => `sin((${metres}) / ${2 * EARTH_RADIUS_M}) ^ 2`;

const SURELY_NEAR = haversine(`$14::float8 / ${1 + HAVERSINE_ERROR}`);
const MIDDLE = '((head + tail) / 2)';

/**
 * A position is tested against the vertices near its cell: stretch by stretch, left at once when its middle is too far away, then
 * vertex by vertex. On a sphere first, which errs by less than `HAVERSINE_ERROR` and so decides most; else geodesically, point to
 * point: PostGIS's distance to a line or multipoint is that to its point nearest on a sphere.
 * `$11`, `$12` positions of the line, `$13` cuts of its edges, `$14` metres, `$15` step; `$16` to `$18` stretches, of which each range
 * has those from `first` to `last`.
 */
const NEAR_LINE = `EXISTS (
          SELECT FROM unnest(($16::int[])[p.first:p.last], ($17::int[])[p.first:p.last], ($18::int[])[p.first:p.last])
              AS stretch(at, head, tail)
            CROSS JOIN LATERAL (SELECT ($11::float8[])[at] AS lon1, ($12::float8[])[at] AS lat1, ($11::float8[])[at + 1] AS lon2,
              ($12::float8[])[at + 1] AS lat2, ($13::int[])[at] AS n OFFSET 0) AS edge
            CROSS JOIN LATERAL (SELECT ${angle(MIDDLE)} AS angle OFFSET 0) AS middle
          WHERE CASE WHEN middle.angle < ${SURELY_NEAR} THEN true
            WHEN middle.angle <= ${haversine(`($14::float8 + (tail - ${MIDDLE}) * $15::float8) * ${1 + HAVERSINE_ERROR}`)}
            THEN EXISTS (
              SELECT FROM generate_series(head, tail) AS i CROSS JOIN LATERAL (SELECT ${angle('i')} AS angle OFFSET 0) AS vertex
              WHERE CASE WHEN vertex.angle > ${haversine(`$14::float8 * ${1 + HAVERSINE_ERROR}`)} THEN false
                WHEN vertex.angle < ${SURELY_NEAR} THEN true
                ELSE ST_DWithin(${GEOGRAPHY}, ST_MakePoint(${lon('i')}, ${lat('i')})::geography, $14) END) END)`;

function nearLine(area: Corridor, ranges: readonly EdgeRange[]): InsideTest {
  const { positions, cuts, stepM } = lineOf(area);
  const stretches = ranges.flatMap(({ near = [] }) => near);
  let last = 0;
  const lasts = ranges.map(({ near = [] }) => (last += near.length));
  const firsts = ranges.map(({ near = [] }, i) => (lasts[i] ?? 0) - near.length + 1);
  const line = [positions.map(([lon]) => lon), positions.map(([, lat]) => lat), cuts, area.withinM, stepM];
  const near = [
    stretches.map(({ edge }) => edge + 1),
    stretches.map(({ from }) => from),
    stretches.map(({ to }) => to),
  ];
  return {
    sql: NEAR_LINE,
    parameters: [...line, ...near, firsts, lasts],
    columns: ', $19::int[], $20::int[]',
    names: ', first, last',
  };
}
