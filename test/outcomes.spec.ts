import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Funnel } from '#outcomes';
import { OutcomesApi } from '../apps/api/src/outcomes/outcomes.api.ts';
import { CANARY, endAlert, type SeededAlert, seedAlert, settleBatch } from './harness/alert-rows.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { seedTips } from './harness/sealed.ts';

type Role = 'liaison' | 'verifier' | 'analyst' | 'administrator';

let database: TestDatabase;
let api: TestApi;
let db: DataSource;
let agencyId: string;
let analyst: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, modules: [OutcomesApi] });
  db = api.app.get(DataSource);
  agencyId = await makeAgency(api.app);
  analyst = await signedIn(agencyId, 'analyst');
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const signedIn = async (agency: string, ...roles: Role[]) =>
  signIn(api.url, await makeOfficer(api.app, { agencyId: agency, roles }));

const funnelOf = (caseId: string, cookie = analyst) =>
  call<Funnel & { code?: string }>(api.url, 'GET', `/v1/cases/${caseId}/funnel`, { cookie });

/** Receipts of the first `n` recipients, `ms` after the batch's last push, 2 × `ms`, 3 × `ms` … */
async function answer(batchId: number, kind: string, n: number, ms: number): Promise<void> {
  await db.query(
    `INSERT INTO receipts (batch_id, index, kind, at)
     SELECT b.id, i - 1, $2, b.last_push_at + make_interval(secs => i * $4::float8 / 1000)
     FROM batches b, generate_series(1, $3::int) i WHERE b.id = $1`,
    [batchId, kind, n, ms],
  );
}

async function withhold(alert: SeededAlert, withheld: object): Promise<void> {
  await db.query('UPDATE waves SET withheld = $2 WHERE id = $1', [alert.waveId, withheld]);
}

describe('the funnel of a case', () => {
  it('counts every step once, with its denominator, and keeps the ending apart', async () => {
    // Tens are told as they are.
    const alert = await seedAlert(db, { agencyId, batches: [250, 130] });
    const [near = 0, far = 0] = alert.batchIds;
    await settleBatch(db, near, 'a'.repeat(200) + 'k'.repeat(20) + 'u'.repeat(30), [400, 900]);
    await settleBatch(db, far, 'a'.repeat(50) + 'res.'.repeat(20), [1000, 2500]);
    await withhold(alert, { muted: 30, quiet_hours: 4 });
    await answer(near, 'received', 50, 100);
    await answer(near, 'opened', 20, 1000);
    await answer(far, 'outside', 10, 50);
    const [root] = await db.query<[{ id: number }]>(
      `INSERT INTO forwards (alert_id, batch_id, index, depth)
       SELECT $1, $2, n, 0 FROM generate_series(0, 9) n RETURNING id`,
      [alert.id, near],
    );
    await db.query(
      'INSERT INTO forwards (alert_id, parent_id, depth) SELECT $1, $2, n % 2 + 1 FROM generate_series(1, 20) n',
      [alert.id, root.id],
    );
    await db.query(
      `INSERT INTO views (forward_id, visitor_digest) SELECT $1, int8send(n) FROM generate_series(1, 40) n`,
      [root.id],
    );
    await seedTips(db, alert.caseId, [
      { words: CANARY, state: 'confirmed' },
      { words: 'x', source: 'page', state: 'dismissed', dismissal: 'hoax' },
      { words: 'x', source: 'page' },
    ]);
    const ending = await endAlert(db, alert, { notified: 30 });
    await settleBatch(db, ending ?? 0, 'aak'.repeat(10), [5000, 6000]);
    await answer(ending ?? 0, 'received', 20, 100);
    await db.query(
      `UPDATE cases SET state = 'closed', outcome = 'safe', cause = 'direct', closed_at = now() WHERE id = $1`,
      [alert.caseId],
    );

    const { status, body } = await funnelOf(alert.caseId);
    expect(status).toBe(200);
    expect(body).toEqual({
      caseId: alert.caseId,
      outcome: 'safe',
      cause: 'direct',
      closedAt: expect.any(String),
      alerts: [
        {
          alertId: alert.id,
          slug: alert.slug,
          tier: 'critical',
          releasedAt: expect.any(String),
          endedAt: expect.any(String),
          asked: {
            targeted: 380,
            accepted: 250,
            unregistered: 30,
            rejected: 20,
            expired: 20,
            stopped: 20,
            unknown: 20,
            pending: 20,
            withheld: { muted: 30 },
          },
          reached: { of: 270, received: 50, outside: 10, opened: 20 },
          forwarded: { of: 20, roots: 10, children: 20, maxDepth: 2, views: 40 },
          times: {
            firstPushMs: 400,
            lastPushMs: 2500,
            receiptDelay: { of: 50, medianMs: 2550, p90Ms: 4510 },
            openDelay: { of: 20, medianMs: 10_500, p90Ms: 18_100 },
          },
          ended: {
            targeted: 30,
            accepted: 20,
            unregistered: null,
            rejected: null,
            expired: null,
            stopped: null,
            unknown: 10,
            pending: null,
            reached: { of: 30, received: 20, outside: null, opened: null },
          },
        },
      ],
      sightings: {
        total: 3,
        byState: { new: 1, following: 0, confirmed: 1, dismissed: 1 },
        bySource: { app: 1, page: 2, phone: 0 },
        byDismissal: { hoax: 1, mistaken: 0, duplicate: 0 },
      },
    });
    expect(JSON.stringify(body)).not.toContain(CANARY);
  });

  it('of an alert that asked few tells nothing of them, not even that there were any', async () => {
    const few = await seedAlert(db, { agencyId, batches: [9] });
    await settleBatch(db, few.batchIds[0] ?? 0, 'aaaaaaaku', [400, 900]);
    await withhold(few, { muted: 9 });
    await answer(few.batchIds[0] ?? 0, 'opened', 7, 100);
    const [root] = await db.query<[{ id: number }]>(
      'INSERT INTO forwards (alert_id, batch_id, index, depth) VALUES ($1, $2, 0, 0) RETURNING id',
      [few.id, few.batchIds[0]],
    );
    await db.query('INSERT INTO forwards (alert_id, parent_id, depth) VALUES ($1, $2, 1)', [few.id, root.id]);
    await endAlert(db, few, { notified: 8 });
    const nobody = await seedAlert(db, { agencyId });
    await endAlert(db, nobody);
    const [told, untold] = await Promise.all([few, nobody].map(async ({ caseId }) => (await funnelOf(caseId)).body));
    const same = { caseId: '', alertId: '', slug: '', releasedAt: '', endedAt: '' };
    const neutral = (funnel: Funnel | undefined) => ({ ...funnel?.alerts[0], ...same });
    expect(neutral(told)).toEqual(neutral(untold));
    expect(told?.alerts[0]?.asked).toEqual({
      targeted: null,
      accepted: null,
      unregistered: null,
      rejected: null,
      expired: null,
      stopped: null,
      unknown: null,
      pending: null,
      withheld: {},
    });
  });

  it('keeps the alerts of a case apart, and leaves out one that was never released', async () => {
    const first = await seedAlert(db, { agencyId, batches: [40], releasedAgoH: 9 });
    const second = await seedAlert(db, { agencyId, batches: [70] });
    const proposed = await seedAlert(db, { agencyId, batches: [1] });
    await db.query('UPDATE alert_cases SET case_id = $1 WHERE alert_id = ANY ($2)', [
      first.caseId,
      [second.id, proposed.id],
    ]);
    await db.query(`UPDATE alerts SET state = 'proposed', released_at = NULL, expires_at = NULL WHERE id = $1`, [
      proposed.id,
    ]);
    const { body } = await funnelOf(first.caseId);
    expect(body.alerts.map(({ alertId, asked }) => [alertId, asked.targeted, asked.pending])).toEqual([
      [first.id, 40, 40],
      [second.id, 70, 70],
    ]);
  });

  it('is for those whose role it is, of its own agency, and is audited', async () => {
    const { caseId } = await seedAlert(db, { agencyId });
    expect((await funnelOf(caseId, await signedIn(agencyId, 'administrator'))).body.code).toBe('forbidden');
    const stranger = await signedIn(await makeAgency(api.app), 'analyst');
    const foreign = await funnelOf(caseId, stranger);
    const absent = await funnelOf(randomUUID(), stranger);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'case_not_found']);
    expect([absent.status, absent.body.code]).toEqual([404, 'case_not_found']);
    expect((await funnelOf('nonsense')).status).toBe(400);
    await funnelOf(caseId);
    const entries = await db.query<unknown[]>(`SELECT action FROM audit_entries WHERE thing = $1`, [`case:${caseId}`]);
    expect(entries).toEqual([{ action: 'outcome.read' }]);
  });
});
