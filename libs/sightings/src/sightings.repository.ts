import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CaseKeys } from '#cases';
import type { LonLat } from '#geo';
import type { Dismissal, SightingState } from './sighting-states.ts';
import type { Sighting, SightingReceipt, SightingReport, SightingSource } from './sighting.ts';

export interface NewSighting extends SightingReport {
  readonly id: string;
  readonly caseId: string;
  readonly source: SightingSource;
  readonly takenBy: string | null;
}

/** What is private of a tip. */
type Contents = Pick<SightingReport, 'words' | 'place' | 'contact'> & { readonly point: LonLat | null };

type SightingRow = Omit<Sighting, keyof Contents> & { readonly sealed: Buffer };

const partOf = (id: string) => `sighting:${id}`;
const photoPartOf = (id: string) => `sighting-photo:${id}`;

/** Tips, sealed under the key of their case. */
@Injectable()
export class SightingsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: CaseKeys,
  ) {}

  /** A phone's clock may be ahead: nothing is observed after it is received. @throws Refusal `case_erased` */
  async insert(tx: EntityManager, sighting: NewSighting): Promise<void> {
    const { id, caseId, source, takenBy, observedAt, photo, words, place, contact, point } = sighting;
    const key = await this.keys.of(caseId, tx);
    const contents: Contents = { words, place, contact, point };
    await tx.query(
      `INSERT INTO sightings (id, case_id, source, state, observed_at, taken_by, sealed, photo)
       VALUES ($1, $2, $3, 'new', CASE WHEN $4::timestamptz > now() THEN now() ELSE $4 END, $5, $6, $7)`,
      [
        id,
        caseId,
        source,
        observedAt,
        takenBy,
        key.sealJson(partOf(id), contents),
        photo && key.seal(photoPartOf(id), photo),
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

  /** Newest first, those before the sighting `before` when it is given. @throws Refusal `case_erased` */
  async page(tx: EntityManager, caseId: string, before: string | null, limit: number): Promise<Sighting[]> {
    const key = await this.keys.of(caseId, tx);
    const rows = await tx.query<SightingRow[]>(
      `SELECT id, source, state, sealed, observed_at AS "observedAt", received_at AS "receivedAt",
              photo IS NOT NULL AS "hasPhoto", taken_by AS "takenBy", triaged_by AS "triagedBy",
              triaged_at AS "triagedAt", dismissal
       FROM sightings
       WHERE case_id = $1 AND sealed IS NOT NULL
         AND ($2::uuid IS NULL OR (received_at, id) < (SELECT received_at, id FROM sightings WHERE id = $2 AND case_id = $1))
       ORDER BY received_at DESC, id DESC LIMIT $3`,
      [caseId, before, limit],
    );
    return rows.map(({ sealed, ...row }) => ({ ...row, ...(key.openJson(partOf(row.id), sealed) as Contents) }));
  }

  /** @throws Refusal `case_erased` */
  async photo(tx: EntityManager, caseId: string, id: string): Promise<Buffer | undefined> {
    const key = await this.keys.of(caseId, tx);
    const rows = await tx.query<{ photo: Buffer | null }[]>(
      'SELECT photo FROM sightings WHERE id = $1 AND case_id = $2',
      [id, caseId],
    );
    const sealed = rows[0]?.photo;
    return sealed ? key.open(photoPartOf(id), sealed) : undefined;
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

  /** Empties tips whose case is erased, which nobody could open any more. @returns how many */
  async forgetErased(limit: number): Promise<number> {
    const [, emptied] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE sightings SET sealed = NULL, photo = NULL, observed_at = NULL, erased_at = now() WHERE id IN (
         SELECT s.id FROM sightings s JOIN cases c ON c.id = s.case_id
         WHERE c.erased_at IS NOT NULL AND s.erased_at IS NULL LIMIT $1 FOR UPDATE OF s SKIP LOCKED)`,
      [limit],
    );
    return emptied;
  }
}
