import type { MultiPolygon } from 'geojson';
import { BAND_M, type CellRange, EARTH_RADIUS_M, type EdgeRange, type LonLat } from '#geo';
import { audienceRanges, coverOf, type Lands, type Place } from './audience-ranges.ts';
import { type InsideTest, insideTest, POINT } from './inside-test.ts';

/** A position older than this counts for nothing, and is due to be deleted. */
export const FRESH_DAYS = 30;

const DAY_MS = 86_400_000;

/** A critical alert wakes people at night, and comes through their quiet hours, nearer than this: 20 km of bands. */
export const NEAR_BANDS = 20_000 / BAND_M;

export interface AudienceQuery {
  readonly area: Place;
  /** Bands are counted from here. */
  readonly origin: LonLat;
  readonly tier: 'critical' | 'serious';
  /** 'Now' for freshness, mutes and quiet hours. */
  readonly at: Date;
  /** Other agencies' land; left out where none decides, which costs nothing then. */
  readonly lands?: Lands | undefined;
}

/** A SELECT and its parameters, to be embedded in the statement that stores its rows. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/**
 * Rows `(device_id bigint, provider text, band smallint, withheld text)`: every device whose stored position is inside the area and fresh,
 * its 2 km band by great-circle distance from the origin, and why it is not to be asked (null when it is): it stands elsewhere
 * (`closed`, `waiting`: see {@link Lands}), or is withheld.
 * Whole cells are taken by ranges of the b-tree on `cell`; only cells on an edge are tested by PostGIS.
 * @param more further columns of positions
 */
export async function audienceStatement(
  { area, origin, tier, at, lands }: AudienceQuery,
  more = '',
): Promise<Statement> {
  const placed = await (lands ? placedOnLands(area, lands) : placedInside(area));
  const sql = `
    WITH inside AS MATERIALIZED (${placed.inside})
    SELECT ${more}device_id, provider, band, CASE${lands ? '\n        WHEN land IS NOT NULL THEN land' : ''}
        WHEN $8 = ANY (opted_out) THEN 'opted_out'
        WHEN muted_until > $6 THEN 'muted'
        WHEN quiet_from IS NOT NULL AND NOT ($8 = 'critical' AND band < $9) AND CASE WHEN quiet_from <= quiet_until
          THEN minute >= quiet_from AND minute < quiet_until
          ELSE minute >= quiet_from OR minute < quiet_until END THEN 'quiet_hours'
      END AS withheld
    FROM (
      SELECT p.*, ${placed.land}${BAND} AS band,
        CASE WHEN p.quiet_from IS NOT NULL
          THEN extract(hour FROM $6::timestamptz AT TIME ZONE p.zone) * 60
             + extract(minute FROM $6::timestamptz AT TIME ZONE p.zone) END AS minute
      FROM ${placed.sql}
    ) device`;
  const [lo, hi, tested, ...rest] = placed.parameters;
  // A time and no sum: PostgreSQL would work out `at - interval` for every row, at half the price of reading the row.
  const freshSince = new Date(at.getTime() - FRESH_DAYS * DAY_MS);
  const shared = [origin[0], origin[1], at, freshSince, tier, NEAR_BANDS, (2 * EARTH_RADIUS_M) / BAND_M];
  return { sql, parameters: [lo, hi, tested, ...shared, ...rest] };
}

/** Sines of half angles, squared, are (1 - cos) / 2: exact to a metre at the origin and to micrometres from the first band's end on. */
const BAND = `floor($10 * asin(least(1, sqrt(greatest(0, 0.5::float8 - 0.5::float8 * (
          cos(radians(p.lat - $5)) - cos(radians($5)) * cos(radians(p.lat)) * (1 - cos(radians(p.lon - $4)))))))))::smallint`;

/** FROM and WHERE that give positions as `p`. */
interface Placed extends Statement {
  /** Points of the edge that are inside: a SELECT of `lon` and `lat`. */
  readonly inside: string;
  /** The column of their land. */
  readonly land: string;
}

/**
 * Fresh positions, as `p`, in ranges of cells. OFFSET 0 makes it one index scan a range: the planner cannot know what the ranges and
 * whatever is asked of their rows leave over, and where it guesses little it would read the whole table for each.
 */
function freshIn(ranges: string): string {
  return `unnest(${ranges}) CROSS JOIN LATERAL (
          SELECT * FROM positions WHERE cell BETWEEN range.lo AND range.hi AND seen_at > $7::timestamptz OFFSET 0) p`;
}

const RANGES = '$1::bigint[], $2::bigint[], $3::boolean[]';

/** Positions are coarse, so that many share a point: PostGIS tests each point once. */
const pointsInside = ({ sql, columns, names }: InsideTest) => `
      SELECT p.lon, p.lat FROM (
        SELECT DISTINCT p.lon, p.lat${names} FROM ${freshIn(`${RANGES}${columns}) AS range(lo, hi, tested${names}`)}
        WHERE range.tested OFFSET 0
      ) p WHERE ${sql}`;

const IS_INSIDE = '(NOT range.tested OR (p.lon, p.lat) IN (SELECT lon, lat FROM inside))';

/** Positions in the area: `$1` to `$3` and from `$11` on. */
async function placedInside(area: Place): Promise<Placed> {
  const { whole, edge } = await coverOf(area);
  const ranges: (EdgeRange & { readonly tested: boolean })[] = [
    ...labelled(whole, { tested: false }),
    ...labelled(edge, { tested: true }),
  ];
  const inside = insideTest(area, ranges);
  const sql = `${freshIn(`${RANGES}) AS range(lo, hi, tested`)}
      WHERE ${IS_INSIDE}`;
  const parameters = [...ends(ranges), ranges.map(({ tested }) => tested), ...inside.parameters];
  return { sql, inside: pointsInside(inside), land: '', parameters };
}

/** Positions in the area with the land each stands on, as `land`: the same, and one more column. */
async function placedOnLands(area: Place, lands: Lands): Promise<Placed> {
  const { certain, doubtful } = await audienceRanges(area, lands);
  const ranges = [
    ...certain.map((range) => ({ ...range, area: false, lands: false, doubtful: false })),
    ...doubtful.map((range) => ({ ...range, land: null, doubtful: true })),
  ];
  const inside = insideTest(area, ranges);
  const own = (n: number) => `$${10 + inside.parameters.length + n}`;
  const on = (n: number) => `ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON(${own(n)}::text), 4326), ${POINT})`;
  const land = `CASE WHEN NOT range.lands THEN range.land WHEN ${on(4)} THEN 'closed' WHEN ${on(5)} THEN 'waiting' END AS land, `;
  const flags = `${own(1)}::text[], ${own(2)}::boolean[], ${own(3)}::boolean[]) AS range(lo, hi, tested, land, lands, doubtful`;
  const only = lands.only ? ` AND (NOT range.doubtful OR ${on(6)})` : '';
  const sql = `${freshIn(`${RANGES}, ${flags}`)}
      WHERE ${IS_INSIDE}${only}`;
  const shapes = [lands.closed, lands.waiting, ...(lands.only ? [lands.only] : [])].map(json);
  const columns = [
    ranges.map((range) => range.land),
    ranges.map((range) => range.lands),
    ranges.map((range) => range.doubtful),
  ];
  const parameters = [...ends(ranges), ranges.map((range) => range.area), ...inside.parameters, ...columns, ...shapes];
  return { sql, inside: pointsInside(inside), land, parameters };
}

function labelled<Label extends object>(ranges: readonly EdgeRange[], label: Label): (EdgeRange & Label)[] {
  return ranges.map((range) => ({ ...range, ...label }));
}

function ends(ranges: readonly CellRange[]): readonly [bigint[], bigint[]] {
  return [ranges.map((range) => range.lo), ranges.map((range) => range.hi)];
}

/** No land covers nothing. */
function json(land: MultiPolygon | null | undefined): string | null {
  return land ? JSON.stringify(land) : null;
}
