import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { CellRange } from '#geo';
import { type AudienceQuery, audienceStatement, FRESH_DAYS } from './audience-statement.ts';

/** A part that holds only a few homes would tell who lives there: about a circle of 1 km, the finest a position is. */
const SMALLEST_PART_M2 = 3_000_000;

/** What becomes of a device that is inside: asked, withheld, or on a neighbour's land. */
export const KINDS = ['reached', 'withheld', 'waiting', 'closed'] as const;
export type Kind = (typeof KINDS)[number];

/** Devices of one kind in one tract. */
export interface TractCount {
  readonly tract: bigint;
  readonly kind: Kind;
  readonly devices: number;
}

@Injectable()
export class AudienceRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Devices by tract, whose ids are stored cells shifted right by `shift`, and by what would become of them now. */
  async countByTract(query: AudienceQuery, shift: number): Promise<TractCount[]> {
    const audience = await audienceStatement(query, 'cell, ');
    const rows = await this.dataSource.query<{ tract: string; kind: Kind; devices: number }[]>(
      `SELECT (cell >> $${audience.parameters.length + 1}::int)::text AS tract, CASE WHEN withheld IS NULL THEN 'reached'
           WHEN withheld IN ('waiting', 'closed') THEN withheld ELSE 'withheld' END AS kind, count(*) AS devices
       FROM (${audience.sql}) audience GROUP BY 1, 2`,
      [...audience.parameters, shift],
    );
    return rows.map((row) => ({ ...row, tract: BigInt(row.tract) }));
  }

  /** Half of the positions in these cells are at most so old, in days; of how many. */
  async medianAge(cells: readonly CellRange[], at: Date): Promise<{ days: number | null; of: number }> {
    const [row] = await this.dataSource.query<[{ days: number | null; of: number }]>(
      `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM $3::timestamptz - p.seen_at) / 86400) AS days,
         count(*) AS of
       FROM unnest($1::bigint[], $2::bigint[]) AS range(lo, hi) JOIN positions p ON p.cell BETWEEN range.lo AND range.hi
       WHERE p.seen_at > $3::timestamptz - make_interval(days => $4)`,
      [cells.map(({ lo }) => lo), cells.map(({ hi }) => hi), at, FRESH_DAYS],
    );
    return row;
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
