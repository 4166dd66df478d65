import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { LonLat } from '#geo';
import type { Dismissal, SightingState } from './sighting-states.ts';
import type { Sighting, SightingReceipt, SightingReport, SightingSource } from './sighting.ts';

export interface NewSighting extends SightingReport {
  readonly id: string;
  readonly caseId: string;
  readonly source: SightingSource;
  readonly takenBy: string | null;
}

type SightingRow = Omit<Sighting, 'point'> & { readonly lon: number | null; readonly lat: number | null };

@Injectable()
export class SightingsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** A phone's clock may be ahead: nothing is observed after it is received. */
  async insert(tx: EntityManager, sighting: NewSighting): Promise<void> {
    await tx.query(
      `INSERT INTO sightings (id, case_id, source, state, place, point, observed_at, words, contact, photo_jpeg, taken_by)
       VALUES ($1, $2, $3, 'new', $4, ST_SetSRID(ST_MakePoint($5, $6), 4326),
         CASE WHEN $7::timestamptz > now() THEN now() ELSE $7 END, $8, $9, $10, $11)`,
      [
        sighting.id,
        sighting.caseId,
        sighting.source,
        sighting.place,
        sighting.point?.[0] ?? null,
        sighting.point?.[1] ?? null,
        sighting.observedAt,
        sighting.words,
        sighting.contact,
        sighting.photo,
        sighting.takenBy,
      ],
    );
  }

  async receipt(tx: EntityManager, id: string): Promise<SightingReceipt | undefined> {
    const rows = await tx.query<SightingReceipt[]>(
      'SELECT id, received_at AS "receivedAt" FROM sightings WHERE id = $1',
      [id],
    );
    return rows[0];
  }

  /** Newest first, those before the sighting `before` when it is given. */
  async page(tx: EntityManager, caseId: string, before: string | null, limit: number): Promise<Sighting[]> {
    const rows = await tx.query<SightingRow[]>(
      `SELECT id, source, state, place, ST_X(point::geometry) AS lon, ST_Y(point::geometry) AS lat,
              observed_at AS "observedAt", received_at AS "receivedAt", words, contact,
              photo_jpeg IS NOT NULL AS "hasPhoto", taken_by AS "takenBy", triaged_by AS "triagedBy",
              triaged_at AS "triagedAt", dismissal
       FROM sightings
       WHERE case_id = $1
         AND ($2::uuid IS NULL OR (received_at, id) < (SELECT received_at, id FROM sightings WHERE id = $2 AND case_id = $1))
       ORDER BY received_at DESC, id DESC LIMIT $3`,
      [caseId, before, limit],
    );
    return rows.map(({ lon, lat, ...sighting }) => ({ ...sighting, point: pointOf(lon, lat) }));
  }

  async photo(tx: EntityManager, caseId: string, id: string): Promise<Buffer | undefined> {
    const rows = await tx.query<{ photo_jpeg: Buffer | null }[]>(
      'SELECT photo_jpeg FROM sightings WHERE id = $1 AND case_id = $2',
      [id, caseId],
    );
    return rows[0]?.photo_jpeg ?? undefined;
  }

  async caseOf(id: string): Promise<string | undefined> {
    const rows = await this.dataSource.query<{ case_id: string }[]>('SELECT case_id FROM sightings WHERE id = $1', [
      id,
    ]);
    return rows[0]?.case_id;
  }

  /** Holds the sighting until `tx` ends. */
  async lockState(tx: EntityManager, id: string): Promise<SightingState | undefined> {
    const rows = await tx.query<{ state: SightingState }[]>('SELECT state FROM sightings WHERE id = $1 FOR UPDATE', [
      id,
    ]);
    return rows[0]?.state;
  }

  async triage(tx: EntityManager, id: string, state: SightingState, dismissal: Dismissal | null, officerId: string) {
    await tx.query(
      'UPDATE sightings SET state = $2, dismissal = $3, triaged_by = $4, triaged_at = now() WHERE id = $1',
      [id, state, dismissal, officerId],
    );
  }
}

function pointOf(lon: number | null, lat: number | null): LonLat | null {
  return lon === null || lat === null ? null : [lon, lat];
}
