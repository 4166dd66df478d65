import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { Funnel } from '#outcomes';
import { OutcomesApi } from '../apps/api/src/outcomes/outcomes.api.ts';
import { CANARY, endAlert, type SeededAlert, seedAlert, settleBatch } from './harness/alert-rows.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

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
    const alert = await seedAlert(db, { agencyId, batches: [10, 6] });
    const [near = 0, far = 0] = alert.batchIds;
    await settleBatch(db, near, 'aaaaaaaaku', [400, 900]);
    await settleBatch(db, far, 'aresa.', [1000, 2500]);
    await withhold(alert, { muted: 3, quiet_hours: 2 });
    await answer(near, 'received', 5, 100);
    await answer(near, 'opened', 2, 1000);
    await answer(far, 'outside', 1, 50);
    const [root] = await db.query<[{ id: number }]>(
      'INSERT INTO forwards (alert_id, batch_id, index, depth) VALUES ($1, $2, 0, 0) RETURNING id',
      [alert.id, near],
    );
    await db.query('INSERT INTO forwards (alert_id, parent_id, depth) SELECT $1, $2, n FROM generate_series(1, 2) n', [
      alert.id,
      root.id,
    ]);
    await db.query(
      `INSERT INTO views (forward_id, visitor_digest) SELECT $1, int8send(n) FROM generate_series(1, 4) n`,
      [root.id],
    );
    await db.query(
      `INSERT INTO sightings (id, case_id, source, state, words, dismissal) VALUES
         (gen_random_uuid(), $1, 'app', 'confirmed', '${CANARY}', NULL),
         (gen_random_uuid(), $1, 'page', 'dismissed', 'x', 'hoax'), (gen_random_uuid(), $1, 'page', 'new', 'x', NULL)`,
      [alert.caseId],
    );
    const ending = await endAlert(db, alert, { notified: 3 });
    await settleBatch(db, ending ?? 0, 'aak', [5000, 6000]);
    await answer(ending ?? 0, 'received', 2, 100);
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
            targeted: 16,
            accepted: 10,
            unregistered: 1,
            rejected: 1,
            expired: 1,
            stopped: 1,
            unknown: 1,
            pending: 1,
            withheld: { muted: 3, quiet_hours: 2 },
          },
          reached: { of: 11, received: 5, outside: 1, opened: 2 },
          forwarded: { of: 2, roots: 1, children: 2, maxDepth: 2, views: 4 },
          times: {
            firstPushMs: 400,
            lastPushMs: 2500,
            receiptDelay: { of: 5, medianMs: 300, p90Ms: 460 },
            openDelay: { of: 2, medianMs: 1500, p90Ms: 1900 },
          },
          ended: {
            targeted: 3,
            accepted: 2,
            unregistered: 0,
            rejected: 0,
            expired: 0,
            stopped: 0,
            unknown: 1,
            pending: 0,
            reached: { of: 3, received: 2, outside: 0, opened: 0 },
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

  it('of an alert that asked nobody is all zeros and no times, whatever became of its ending', async () => {
    const alert = await seedAlert(db, { agencyId });
    const ending = await endAlert(db, alert, { notified: 1 });
    await settleBatch(db, ending ?? 0, 'a', [100, 200]);
    await answer(ending ?? 0, 'received', 1, 100);
    const { body } = await funnelOf(alert.caseId);
    const [funnel] = body.alerts;
    expect(body.outcome).toBeNull();
    expect(funnel?.asked).toMatchObject({ targeted: 0, withheld: {} });
    expect(funnel?.times).toEqual({
      firstPushMs: null,
      lastPushMs: null,
      receiptDelay: { of: 0, medianMs: null, p90Ms: null },
      openDelay: { of: 0, medianMs: null, p90Ms: null },
    });
  });

  it('keeps the alerts of a case apart, and leaves out one that was never released', async () => {
    const first = await seedAlert(db, { agencyId, batches: [4], releasedAgoH: 9 });
    const second = await seedAlert(db, { agencyId, batches: [7] });
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
      [first.id, 4, 4],
      [second.id, 7, 7],
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
