import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Area, BAND_M, cover, EARTH_RADIUS_M, type LonLat } from '#geo';

/** A position older than this counts for nothing, and is due to be deleted. */
export const FRESH_DAYS = 30;

/** A critical alert wakes people at night, and comes through their quiet hours, nearer than this: 20 km of bands. */
export const NEAR_BANDS = 20_000 / BAND_M;

export interface AudienceQuery {
  readonly area: Area;
  /** Bands are counted from here. */
  readonly origin: LonLat;
  readonly tier: 'critical' | 'serious';
  /** 'Now' for freshness, mutes and quiet hours. */
  readonly at: Date;
}

/** A SELECT and its parameters, to be embedded in the statement that stores its rows. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/**
 * Rows `(device_id bigint, provider text, band smallint, withheld text)`: every device whose stored position is inside the area and fresh,
 * its 2 km band by great-circle distance from the origin, and why it is withheld (null when it is not).
 * Whole cells are taken by ranges of the b-tree on `cell`; only cells on the area's edge are tested by PostGIS.
 */
export function audienceStatement({ area, origin, tier, at }: AudienceQuery): Statement {
  const { whole, edge } = cover(area);
  const inside = insideTest(area);
  const sql = `
    SELECT device_id, provider, band, CASE
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
      FROM (
        SELECT p.* FROM unnest($1::bigint[], $2::bigint[]) AS range(lo, hi)
          JOIN positions p ON p.cell BETWEEN range.lo AND range.hi
        UNION ALL
        SELECT p.* FROM unnest($3::bigint[], $4::bigint[]) AS range(lo, hi)
          -- OFFSET 0 keeps the planner from testing every position of the table before it looks at the ranges.
          CROSS JOIN LATERAL (SELECT * FROM positions WHERE cell BETWEEN range.lo AND range.hi OFFSET 0) p
        WHERE ${inside.sql}
      ) p
      WHERE p.seen_at > $7::timestamptz - make_interval(days => $8)
    ) device`;
  return {
    sql,
    parameters: [
      whole.map((range) => range.lo),
      whole.map((range) => range.hi),
      edge.map((range) => range.lo),
      edge.map((range) => range.hi),
      origin[0],
      origin[1],
      at,
      FRESH_DAYS,
      tier,
      NEAR_BANDS,
      (2 * EARTH_RADIUS_M) / BAND_M,
      ...inside.parameters,
    ],
  };
}

/** Distance is geodesic on the ellipsoid; polygon edges are straight in longitude and latitude (RFC 7946). */
function insideTest(area: Area): Statement {
  if (area.kind === 'circle') {
    return {
      sql: 'ST_DWithin(ST_MakePoint(p.lon, p.lat)::geography, ST_MakePoint($12, $13)::geography, $14)',
      parameters: [area.center[0], area.center[1], area.radiusM],
    };
  }
  return {
    sql: 'ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON($12::text), 4326), ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326))',
    parameters: [JSON.stringify(area.polygon)],
  };
}

/** A part that holds only a few homes would tell who lives there: about a circle of 1 km, the finest a position is. */
const SMALLEST_PART_M2 = 3_000_000;

@Injectable()
export class AudienceRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** How many devices an alert would reach now, and how many would be withheld. */
  async count(query: AudienceQuery): Promise<{ reached: number; withheld: number; medianAgeDays: number | null }> {
    const audience = audienceStatement(query);
    const [row] = await this.dataSource.query<[{ reached: number; withheld: number; median: number | null }]>(
      `WITH audience AS (${audience.sql})
       SELECT count(*) FILTER (WHERE withheld IS NULL) AS reached, count(withheld) AS withheld,
         (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM $7::timestamptz - p.seen_at) / 86400)
            FROM audience a JOIN positions p USING (device_id)) AS median
       FROM audience`,
      [...audience.parameters],
    );
    return { reached: row.reached, withheld: row.withheld, medianAgeDays: row.median };
  }

  /** Why PostGIS calls a polygon invalid (it crosses itself, its holes leave it…), or null when it is sound. */
  async polygonFault(tx: EntityManager, polygon: object): Promise<string | null> {
    const [row] = await tx.query<[{ valid: boolean; reason: string; smallest_m2: number }]>(
      `SELECT ST_IsValid(shape) AS valid, ST_IsValidReason(shape) AS reason,
         (SELECT min(ST_Area(part.geom::geography)) FROM ST_Dump(shape) AS part) AS smallest_m2
       FROM (SELECT ST_SetSRID(ST_GeomFromGeoJSON($1::text), 4326) AS shape) given`,
      [JSON.stringify(polygon)],
    );
    if (!row.valid) return row.reason;
    return row.smallest_m2 < SMALLEST_PART_M2 ? 'a part of it is smaller than 3 km²' : null;
  }
}
