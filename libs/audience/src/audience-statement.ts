import type { MultiPolygon } from 'geojson';
import { BAND_M, EARTH_RADIUS_M, type LonLat } from '#geo';
import { audienceRanges, coverOf, type Lands, type Place } from './audience-ranges.ts';

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
export function audienceStatement({ area, origin, tier, at, lands }: AudienceQuery, more = ''): Statement {
  const placed = lands ? placedOnLands(area, lands) : placedInside(area);
  const sql = `
    SELECT ${more}device_id, provider, band, CASE${lands ? '\n        WHEN land IS NOT NULL THEN land' : ''}
        WHEN $9 = ANY (opted_out) THEN 'opted_out'
        WHEN muted_until > $7 THEN 'muted'
        WHEN quiet_from IS NOT NULL AND NOT ($9 = 'critical' AND band < $10) AND CASE WHEN quiet_from <= quiet_until
          THEN minute >= quiet_from AND minute < quiet_until
          ELSE minute >= quiet_from OR minute < quiet_until END THEN 'quiet_hours'
      END AS withheld
    FROM (
      SELECT p.*,
        floor($11 * asin(least(1, sqrt(
          power(sin(radians(p.lat - $6) / 2), 2)
          + cos(radians($6)) * cos(radians(p.lat)) * power(sin(radians(p.lon - $5) / 2), 2)
        ))))::smallint AS band,
        CASE WHEN p.quiet_from IS NOT NULL
          THEN extract(hour FROM $7::timestamptz AT TIME ZONE p.zone) * 60
             + extract(minute FROM $7::timestamptz AT TIME ZONE p.zone) END AS minute
      FROM (${placed.sql}
      ) p
      WHERE p.seen_at > $8::timestamptz
    ) device`;
  const [lo, hi, doubtfulLo, doubtfulHi, ...rest] = placed.parameters;
  // A time and no sum: PostgreSQL would work out `at - interval` for every row, at twice the price of reading the row.
  const freshSince = new Date(at.getTime() - FRESH_DAYS * DAY_MS);
  const shared = [origin[0], origin[1], at, freshSince, tier, NEAR_BANDS, (2 * EARTH_RADIUS_M) / BAND_M];
  return { sql, parameters: [lo, hi, doubtfulLo, doubtfulHi, ...shared, ...rest] };
}

/** Positions in the area: `$1` to `$4` and from `$12` on. */
function placedInside(area: Place): Statement {
  const { whole, edge } = coverOf(area);
  const inside = insideTest(area);
  // OFFSET 0 keeps the planner from testing every position of the table before it looks at the ranges.
  const onEdge = `unnest($3::bigint[], $4::bigint[]) AS range(lo, hi)
            CROSS JOIN LATERAL (SELECT * FROM positions WHERE cell BETWEEN range.lo AND range.hi OFFSET 0) p`;
  // Positions are coarse, so that many share a point: PostGIS tests each point once. IS TRUE keeps IN from becoming a join, whose
  // order the planner would choose by guesses that are wrong by thousands.
  const sql = `
        SELECT p.* FROM unnest($1::bigint[], $2::bigint[]) AS range(lo, hi)
          JOIN positions p ON p.cell BETWEEN range.lo AND range.hi
        UNION ALL
        SELECT p.* FROM ${onEdge}
        WHERE ((p.lon, p.lat) IN (
          SELECT p.lon, p.lat FROM (SELECT DISTINCT p.lon, p.lat FROM ${onEdge} OFFSET 0) p
          WHERE ${inside.sql}
        )) IS TRUE`;
  return { sql, parameters: [...ends(whole), ...ends(edge), ...inside.parameters] };
}

/** Positions in the area with the land each stands on, as `land`: the same, and one more column. */
function placedOnLands(area: Place, lands: Lands): Statement {
  const { certain, doubtful } = audienceRanges(area, lands);
  const inside = insideTest(area);
  const own = (n: number) => `$${11 + inside.parameters.length + n}`;
  const on = (n: number) => `ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON(${own(n)}::text), 4326), ${POINT})`;
  const sql = `
        SELECT p.*, range.land FROM unnest($1::bigint[], $2::bigint[], ${own(1)}::text[]) AS range(lo, hi, land)
          JOIN positions p ON p.cell BETWEEN range.lo AND range.hi
        UNION ALL
        SELECT p.*, CASE WHEN NOT range.lands THEN NULL WHEN ${on(4)} THEN 'closed' WHEN ${on(5)} THEN 'waiting' END
        FROM unnest($3::bigint[], $4::bigint[], ${own(2)}::boolean[], ${own(3)}::boolean[]) AS range(lo, hi, area, lands)
          CROSS JOIN LATERAL (SELECT * FROM positions WHERE cell BETWEEN range.lo AND range.hi OFFSET 0) p
        WHERE CASE WHEN range.area THEN ${inside.sql} ELSE true END${lands.only ? ` AND ${on(6)}` : ''}`;
  const shapes = [lands.closed, lands.waiting, ...(lands.only ? [lands.only] : [])].map(json);
  const flags = [
    certain.map((range) => range.land),
    doubtful.map((range) => range.area),
    doubtful.map((range) => range.lands),
  ];
  return { sql, parameters: [...ends(certain), ...ends(doubtful), ...inside.parameters, ...flags, ...shapes] };
}

function ends(ranges: readonly { readonly lo: bigint; readonly hi: bigint }[]): readonly [bigint[], bigint[]] {
  return [ranges.map((range) => range.lo), ranges.map((range) => range.hi)];
}

/** No land covers nothing. */
function json(land: MultiPolygon | null | undefined): string | null {
  return land ? JSON.stringify(land) : null;
}

const POINT = 'ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)';

/** Distance is geodesic on the ellipsoid; polygon edges are straight in longitude and latitude (RFC 7946). */
function insideTest(area: Place): Statement {
  if (area.kind === 'cells') return { sql: 'true', parameters: [] };
  if (area.kind === 'part') return insideTest(area.of);
  if (area.kind === 'circle') {
    return {
      sql: 'ST_DWithin(ST_MakePoint(p.lon, p.lat)::geography, ST_MakePoint($12, $13)::geography, $14)',
      parameters: [area.center[0], area.center[1], area.radiusM],
    };
  }
  return {
    sql: `ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON($12::text), 4326), ${POINT})`,
    parameters: [JSON.stringify(area.polygon)],
  };
}
