import { Injectable } from '@nestjs/common';
import type { MultiPolygon } from 'geojson';
import { type EntityManager, IsNull } from 'typeorm';
import type { LonLat } from '#geo';
import { Agency, type NeighbourPolicy } from './agency.entity.ts';

export type NewAgency = Omit<Agency, 'createdAt' | 'frozenAt' | 'jurisdiction'> & {
  readonly jurisdiction: MultiPolygon;
};

@Injectable()
export class AgencyRepository {
  async insert(tx: EntityManager, agency: NewAgency): Promise<void> {
    await tx.insert(Agency, agency);
  }

  find(tx: EntityManager, id: string): Promise<Agency | null> {
    return tx.findOneBy(Agency, { id });
  }

  /** Not FOR UPDATE: rows that name the agency need not wait. */
  async set(
    tx: EntityManager,
    id: string,
    {
      neighbourPolicy,
      retentionDays,
    }: { neighbourPolicy?: NeighbourPolicy | undefined; retentionDays?: number | undefined },
  ): Promise<void> {
    await tx.query(
      `UPDATE agencies SET neighbour_policy = coalesce($2, neighbour_policy), retention_days = coalesce($3, retention_days)
       WHERE id = $1`,
      [id, neighbourPolicy, retentionDays],
    );
  }

  lock(tx: EntityManager, id: string): Promise<Agency | null> {
    return tx.findOne(Agency, { where: { id }, lock: { mode: 'for_no_key_update' } });
  }

  list(tx: EntityManager): Promise<Agency[]> {
    return tx.find(Agency, { order: { name: 'ASC' } });
  }

  async freeze(tx: EntityManager, id: string): Promise<void> {
    await tx.update(Agency, { id, frozenAt: IsNull() }, { frozenAt: () => 'now()' });
  }

  async thaw(tx: EntityManager, id: string): Promise<void> {
    await tx.update(Agency, { id }, { frozenAt: null });
  }

  /** Edges are straight in longitude and latitude, and belong to the jurisdiction. */
  async covers(tx: EntityManager, id: string, [lon, lat]: LonLat): Promise<boolean> {
    const rows = await tx.query<{ covered: boolean }[]>(
      `SELECT ST_Covers(jurisdiction, ST_SetSRID(ST_MakePoint($2, $3), 4326)) AS covered FROM agencies WHERE id = $1`,
      [id, lon, lat],
    );
    return rows[0]?.covered ?? false;
  }

  /** What PostGIS finds wrong with a polygon, e.g. `Self-intersection[1 1]`, or null. */
  async faultOf(tx: EntityManager, polygon: MultiPolygon): Promise<string | null> {
    const rows = await tx.query<{ fault: string | null }[]>(
      `SELECT CASE
         WHEN ST_IsEmpty(shape) THEN 'it is empty'
         WHEN NOT ST_IsValid(shape) THEN ST_IsValidReason(shape)
         WHEN NOT ST_CoveredBy(shape, ST_MakeEnvelope(-180, -90, 180, 90, 4326)) THEN 'it leaves the range of degrees'
       END AS fault
       FROM (SELECT ST_SetSRID(ST_GeomFromGeoJSON($1), 4326) AS shape) AS given`,
      [JSON.stringify(polygon)],
    );
    return rows[0]?.fault ?? null;
  }
}
