import { randomBytes, randomUUID } from 'node:crypto';
import sharp from 'sharp';
import type { DataSource } from 'typeorm';
import { type Photo, reencodePhoto } from '#platform';
import { seedAgency } from './fixtures.ts';
import { caseKeys, newCaseKey } from './sealed.ts';

/** Stands in every private field of a seeded case: to be found nowhere that the public can look. */
export const CANARY = 'canary-7f3b';

export const PUBLIC_TEXTS = {
  'zh-CN': { title: '寻找林小满,6岁', body: '身高约115厘米,穿黄色雨衣、蓝色雨靴,背小象书包。' },
  en: {
    title: 'Missing: Lin Xiaoman, 6',
    body: 'About 115 cm tall, yellow raincoat, blue boots, an elephant backpack.',
  },
};

export const ENDING_TEXTS = {
  'zh-CN': { title: '孩子平安', body: '搜寻已结束,孩子平安。感谢您的帮助。' },
  en: { title: 'The child is safe', body: 'The search has ended and the child is safe. Thank you for your help.' },
};

export interface AlertDraft {
  readonly agencyId?: string;
  readonly texts?: typeof PUBLIC_TEXTS;
  readonly place?: Record<'zh-CN' | 'en', string>;
  readonly mode?: 'real' | 'exercise' | 'demo';
  readonly callNumber?: string;
  readonly instruction?: 'do_not_approach' | 'stay_and_call' | 'call';
  readonly photo?: Buffer;
  /** Hours since release; 2 when left out. */
  readonly releasedAgoH?: number;
  /** Sizes of the first wave's batches. */
  readonly batches?: readonly number[];
}

export interface SeededAlert {
  readonly id: string;
  readonly slug: string;
  readonly agencyId: string;
  readonly caseId: string;
  readonly waveId: number;
  readonly batchIds: readonly number[];
}

/** A live alert of one active case, with one ring wave. */
export async function seedAlert(db: DataSource, draft: AlertDraft = {}): Promise<SeededAlert> {
  const agencyId = draft.agencyId ?? (await seedAgency(db));
  const caseId = await seedCase(db, agencyId);
  const photo = draft.photo ? await reencodePhoto(draft.photo) : null;
  const photoId = photo && (await seedPhoto(db, caseId, photo));
  const id = randomUUID();
  const slug = randomBytes(9).toString('base64url');
  await db.query(
    `INSERT INTO alerts (id, slug, agency_id, state, mode, tier, area, origin, zone, place, call_number, instruction,
       photo_id, hours, released_at, expires_at)
     VALUES ($1, $2, $3, 'live', $4, 'critical', $5, 'POINT(114.06 22.54)', 'Asia/Shanghai', $6, $7, $8, $9, 24,
       now() - make_interval(hours => $10), now() + interval '20 hours')`,
    [
      id,
      slug,
      agencyId,
      draft.mode ?? 'real',
      { kind: 'circle', center: [114.06, 22.54], radiusM: 120_000 },
      draft.place ?? { 'zh-CN': '深圳市福田区莲花山公园', en: 'Lianhuashan Park, Futian, Shenzhen' },
      draft.callNumber ?? '110',
      draft.instruction ?? 'stay_and_call',
      photoId,
      draft.releasedAgoH ?? 2,
    ],
  );
  await db.query('INSERT INTO alert_cases (alert_id, case_id) VALUES ($1, $2)', [id, caseId]);
  if (photo) await showPhoto(db, id, photo);
  const messageId = await seedMessage(db, id, 1, 'alert', draft.texts ?? PUBLIC_TEXTS);
  const waveId = await seedWave(db, id, messageId, 'ring');
  const batchIds: number[] = [];
  for (const size of draft.batches ?? []) batchIds.push(await seedBatch(db, waveId, id, batchIds.length, size));
  return { id, slug, agencyId, caseId, waveId, batchIds };
}

async function seedCase(db: DataSource, agencyId: string): Promise<string> {
  const id = randomUUID();
  const key = await newCaseKey(db, id);
  const details = Object.fromEntries(
    ['name', 'looks', 'clothes', 'needs', 'circumstances'].map((field) => [field, `${CANARY} ${field}`]),
  );
  const words = `${CANARY} words`;
  const contents = {
    details: { ageYears: null, sex: null, ...details },
    lastSeenFrom: null,
    lastSeenUntil: null,
    lastSeenPlace: `${CANARY} place`,
    lastSeenPoint: null,
    consent: { given: 'none', reason: words },
    custodyOrderChecked: true,
    publicity: 'safe',
    decisionReason: words,
  };
  await db.query(
    `INSERT INTO cases (id, reference, agency_id, state, type, author_ids, sealed)
     VALUES ($1, $2, $3, 'active', 'runaway', $4, $5)`,
    [id, `${CANARY}-${id}`, agencyId, [randomUUID()], key.sealJson('case', contents)],
  );
  return id;
}

/** A photo of the case; it is public once {@link showPhoto} has put it up. */
async function seedPhoto(db: DataSource, caseId: string, { jpeg, sha256, width, height }: Photo): Promise<string> {
  const id = randomUUID();
  const key = await caseKeys(db).of(caseId);
  await db.query(
    'INSERT INTO case_photos (id, case_id, sealed, digest, width, height) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, caseId, key.seal(`photo:${id}`, jpeg), key.digest(sha256), width, height],
  );
  return id;
}

async function showPhoto(db: DataSource, alertId: string, { jpeg, sha256, width, height }: Photo): Promise<void> {
  await db.query('INSERT INTO alert_photos (alert_id, jpeg, sha256, width, height) VALUES ($1, $2, $3, $4, $5)', [
    alertId,
    jpeg,
    sha256,
    width,
    height,
  ]);
}

async function seedMessage(
  db: DataSource,
  alertId: string,
  version: number,
  kind: string,
  texts: object,
): Promise<string> {
  const id = randomUUID();
  await db.query('INSERT INTO messages (id, alert_id, version, kind, texts) VALUES ($1, $2, $3, $4, $5)', [
    id,
    alertId,
    version,
    kind,
    texts,
  ]);
  return id;
}

async function seedWave(db: DataSource, alertId: string, messageId: string, audience: string): Promise<number> {
  const [wave] = await db.query<[{ id: number }]>(
    'INSERT INTO waves (alert_id, message_id, audience) VALUES ($1, $2, $3) RETURNING id',
    [alertId, messageId, audience],
  );
  return wave.id;
}

async function seedBatch(db: DataSource, waveId: number, alertId: string, seq: number, size: number): Promise<number> {
  const [batch] = await db.query<[{ id: number }]>(
    `INSERT INTO batches (wave_id, alert_id, seq, provider, band, size) VALUES ($1, $2, $3, 'fcm', $3::int, $4) RETURNING id`,
    [waveId, alertId, seq, size],
  );
  return batch.id;
}

/** Gives a batch its results, one character a recipient, as if its pushes had taken these milliseconds after release. */
export async function settleBatch(
  db: DataSource,
  batchId: number,
  results: string,
  pushedMs: readonly [first: number, last: number],
): Promise<void> {
  await db.query(
    `UPDATE batches b SET results = $2, state = CASE WHEN $2 ~ '[.~]' THEN 'pending' ELSE 'settled' END,
       first_push_at = a.released_at + make_interval(secs => $3 / 1000.0),
       last_push_at = a.released_at + make_interval(secs => $4 / 1000.0)
     FROM alerts a WHERE a.id = b.alert_id AND b.id = $1`,
    [batchId, results, ...pushedMs],
  );
}

/** Ends an alert with a public text, telling `notified` recipients in one batch. */
export async function endAlert(
  db: DataSource,
  alert: SeededAlert,
  { texts = ENDING_TEXTS, kind = 'found', notified = 0 } = {},
): Promise<number | null> {
  await db.query(`UPDATE alerts SET state = 'ended', ended_at = now(), epoch = epoch + 1 WHERE id = $1`, [alert.id]);
  await db.query('DELETE FROM alert_photos WHERE alert_id = $1', [alert.id]);
  const messageId = await seedMessage(db, alert.id, 2, kind, texts);
  const waveId = await seedWave(db, alert.id, messageId, 'notified');
  await db.query('UPDATE waves SET targeted = $2 WHERE id = $1', [waveId, notified]);
  return notified > 0 ? seedBatch(db, waveId, alert.id, 0, notified) : null;
}

/** Nobody's face: a drawing of a child in a yellow raincoat, as PNG. */
export function drawnPortrait(): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="1100" viewBox="0 0 900 1100">
    <rect width="900" height="1100" fill="#a9c6cf"/><circle cx="730" cy="170" r="90" fill="#dfeaed"/>
    <path d="M120 1100c0-260 130-400 330-400s330 140 330 400z" fill="#f2c230"/>
    <path d="M450 130c-190 0-280 150-280 320 0 150 70 260 150 310h260c80-50 150-160 150-310 0-170-90-320-280-320z" fill="#e3b11f"/>
    <ellipse cx="450" cy="470" rx="195" ry="225" fill="#e8bf9d"/>
    <path d="M262 430c10-150 90-200 188-200s178 50 188 200c-60-70-120-95-188-95s-128 25-188 95z" fill="#2b221d"/>
    <circle cx="375" cy="470" r="17" fill="#2b221d"/><circle cx="525" cy="470" r="17" fill="#2b221d"/>
    <path d="M385 580q65 50 130 0" fill="none" stroke="#9c5a45" stroke-width="12" stroke-linecap="round"/>
    <path d="M450 760v340" stroke="#c99a12" stroke-width="10"/></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}
