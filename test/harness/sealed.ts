import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type CaseKey, CaseKeys } from '#cases';
import type { LonLat } from '#geo';
import { Keys } from '#platform';
import { CaseKeyRepository } from '../../libs/cases/src/case-key.repository.ts';
import { testEnv } from './env.ts';

/** The keys of cases as the parts under test derive them, for what a test writes and reads beneath them. */
export function caseKeys(db: DataSource): CaseKeys {
  return new CaseKeys(new CaseKeyRepository(db), new Keys(testEnv('postgres://none')));
}

export function newCaseKey(db: DataSource, caseId: string): Promise<CaseKey> {
  return caseKeys(db).create(db.manager, caseId);
}

/** What is private of a tip, opened. */
export interface OpenedTip {
  readonly words: string;
  readonly place: string | null;
  readonly contact: string | null;
  readonly point: LonLat | null;
  readonly photo: Buffer | null;
}

/** A case's tips, opened, oldest first, beside what stands open of them. */
export async function openTips(db: DataSource, caseId: string): Promise<(OpenedTip & Record<string, unknown>)[]> {
  const key = await caseKeys(db).of(caseId);
  const rows = await db.query<{ id: string; sealed: Buffer; photo: Buffer | null }[]>(
    'SELECT * FROM sightings WHERE case_id = $1 ORDER BY received_at, id',
    [caseId],
  );
  return rows.map(({ sealed, photo, ...row }) => ({
    ...row,
    ...(key.openJson(`sighting:${row.id}`, sealed) as Omit<OpenedTip, 'photo'>),
    photo: photo && key.open(`sighting-photo:${row.id}`, photo),
  }));
}

/** Puts down tips as they stand in the table. */
export async function seedTips(
  db: DataSource,
  caseId: string,
  tips: readonly { words: string; source?: string; state?: string; dismissal?: string; receivedAt?: Date }[],
): Promise<void> {
  const key = await caseKeys(db).of(caseId);
  for (const { words, source = 'app', state = 'new', dismissal = null, receivedAt = new Date() } of tips) {
    const id = randomUUID();
    const sealed = key.sealJson(`sighting:${id}`, { words, place: null, contact: null, point: null });
    await db.query(
      `INSERT INTO sightings (id, case_id, source, state, dismissal, received_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, caseId, source, state, dismissal, receivedAt, sealed],
    );
  }
}
