import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { Devices } from '#audience';
import { EngagementRetention, Forwards, Receipts } from '#engagement';
import { RecipientReferences } from '#dispatch';
import type { Funnel, RetentionReport } from '#outcomes';
import { Idempotency, Outbox, RetentionRuns } from '#platform';
import { Retention } from '../apps/worker/src/retention.ts';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { endAlert, type SeededAlert, seedAlert, settleBatch } from './harness/alert-rows.ts';
import { call, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { makeDevices, seedAgency, SHENZHEN } from './harness/fixtures.ts';

let database: TestDatabase;
let api: TestApi;
let worker: NestFastifyApplication;
let db: DataSource;
let agencyId: string;
let analyst: string;
let verifier: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url });
  // Not begun: the steps run when the test says so.
  worker = await createWorker(testEnv(database.url));
  db = api.app.get(DataSource);
  agencyId = await seedAgency(db);
  analyst = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['analyst'] }));
  verifier = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['verifier'] }));
});

afterAll(async () => {
  await api?.close();
  await worker?.close();
  await database?.drop();
});

const forget = (step: string) => worker.get(Retention).steps[step]?.();

const count = async (sql: string, parameters: unknown[] = []) => {
  const [row] = await db.query<[{ n: number }]>(`SELECT count(*)::int AS n FROM ${sql}`, parameters);
  return row.n;
};

const funnelOf = async (caseId: string) =>
  (await call<Funnel>(api.url, 'GET', `/v1/cases/${caseId}/funnel`, { cookie: analyst })).body;

/** Closes the alert's case so many days ago, its waves settled. */
async function close(alert: SeededAlert, daysAgo: number): Promise<void> {
  await db.query('UPDATE waves SET settled_at = now() WHERE alert_id = $1', [alert.id]);
  await db.query(
    `UPDATE cases SET state = 'closed', outcome = 'safe', cause = 'direct', closed_at = now() - make_interval(days => $2)
     WHERE id = $1`,
    [alert.caseId, daysAgo],
  );
}

/** An ended alert with recipients, receipts, forwards and views: enough of each to be told. */
async function answered(closedDaysAgo: number): Promise<SeededAlert> {
  const alert = await seedAlert(db, { agencyId, batches: [40, 30] });
  const [near = 0, far = 0] = alert.batchIds;
  await settleBatch(db, near, 'a'.repeat(30) + 'k'.repeat(10), [100, 200]);
  await settleBatch(db, far, 'a'.repeat(18) + 'e'.repeat(12), [300, 400]);
  const ending = (await endAlert(db, alert, { notified: 20 })) ?? 0;
  await settleBatch(db, ending, 'a'.repeat(20), [500, 600]);
  const [device] = await makeDevices(db, [SHENZHEN]);
  await db.query(
    `INSERT INTO batch_recipients (batch_id, ids)
     SELECT id, array_fill($2::bigint, ARRAY[size::int]) FROM batches WHERE alert_id = $1`,
    [alert.id, device?.id],
  );
  const references = api.app.get(RecipientReferences, { strict: false });
  const items = (kind: 'opened' | 'received' | 'outside', batch: number, many: number) =>
    Array.from({ length: many }, (_, index) => ({ ref: references.encode(batch, index), kind }));
  await api.app
    .get(Receipts, { strict: false })
    .record([...items('opened', near, 15), ...items('received', near, 25), ...items('outside', far, 12)]);
  await api.app.get(Receipts, { strict: false }).record(items('received', ending, 14));
  await db.query(
    `WITH root AS (INSERT INTO forwards (alert_id, batch_id, index, depth) SELECT $1, $2, n, 0 FROM generate_series(0, 11) n RETURNING id),
       child AS (INSERT INTO forwards (alert_id, parent_id, depth) SELECT $1, id, 1 FROM root)
     INSERT INTO views (forward_id, visitor_digest) SELECT id, int8send(n) FROM root, generate_series(1, 3) n`,
    [alert.id, near],
  );
  if (closedDaysAgo >= 0) await close(alert, closedDaysAgo);
  return alert;
}

const arrays = (alert: SeededAlert) =>
  count('batch_recipients r JOIN batches b ON b.id = r.batch_id WHERE b.alert_id = $1', [alert.id]);
const receipts = (alert: SeededAlert) =>
  count('receipts r JOIN batches b ON b.id = r.batch_id WHERE b.alert_id = $1', [alert.id]);
const views = (alert: SeededAlert) =>
  count('views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1', [alert.id]);
const forwarders = (alert: SeededAlert) =>
  count('forwards WHERE alert_id = $1 AND (batch_id IS NOT NULL OR index IS NOT NULL)', [alert.id]);

describe('whom an alert asked', () => {
  it('goes 30 days after closing, with who answered; every count of the funnel stays', async () => {
    const alert = await answered(31);
    const before = await funnelOf(alert.caseId);
    expect(before.alerts[0]).toMatchObject({
      asked: { targeted: expect.any(Number), accepted: expect.any(Number) },
      reached: { received: expect.any(Number), opened: expect.any(Number), outside: expect.any(Number) },
      forwarded: { roots: expect.any(Number), children: expect.any(Number), views: expect.any(Number) },
      times: { receiptDelay: { medianMs: expect.any(Number) } },
      ended: { accepted: expect.any(Number), reached: { received: expect.any(Number) } },
    });
    await forget('recipients');
    await forget('forwards');
    expect([await arrays(alert), await receipts(alert), await views(alert), await forwarders(alert)]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await funnelOf(alert.caseId)).toEqual(before);
    await forget('recipients');
    expect(await funnelOf(alert.caseId)).toEqual(before);
  });

  it('stays for 30 days; who forwarded goes at closing', async () => {
    const alert = await answered(29);
    await forget('recipients');
    await forget('forwards');
    expect([await arrays(alert), await receipts(alert), await views(alert)]).toEqual([3, 66, 36]);
    expect(await forwarders(alert)).toBe(0);
    expect(await count('forwards WHERE alert_id = $1', [alert.id])).toBe(24);
  });

  it.each([
    ['the case is open', async () => answered(-1)],
    [
      'one of two cases is open',
      async () => {
        const [alert, other] = [await answered(40), await seedAlert(db, { agencyId })];
        await db.query('INSERT INTO alert_cases (alert_id, case_id) VALUES ($1, $2)', [alert.id, other.caseId]);
        return alert;
      },
    ],
    [
      'its ending is still being told',
      async () => {
        const alert = await answered(40);
        await db.query('UPDATE waves SET settled_at = NULL WHERE alert_id = $1', [alert.id]);
        return alert;
      },
    ],
  ])('stays while %s', async (_, make) => {
    const alert = await make();
    await forget('recipients');
    expect([await arrays(alert), await receipts(alert)]).toEqual([3, 66]);
  });

  it('who forwarded stays while the case is open: a repeat must give the same link', async () => {
    const alert = await answered(-1);
    await forget('forwards');
    expect(await forwarders(alert)).toBe(12);
  });

  it('is taken up where it was cut off, and counted once', async () => {
    const alert = await answered(31);
    const before = await funnelOf(alert.caseId);
    const cut = worker.get(EngagementRetention, { strict: false });
    await cut.reduce(alert.id);
    // As if the process had died before the last of the rows and any of the arrays were deleted.
    await db.query(`INSERT INTO receipts (batch_id, index, kind) VALUES ($1, 39, 'received')`, [alert.batchIds[0]]);
    expect(await funnelOf(alert.caseId)).toEqual(before);
    await Promise.all([forget('recipients'), forget('recipients')]);
    expect([await arrays(alert), await receipts(alert)]).toEqual([0, 0]);
    expect(await funnelOf(alert.caseId)).toEqual(before);
  });

  it('takes no further receipts, and gives no link', async () => {
    const alert = await answered(31);
    await forget('recipients');
    await forget('forwards');
    const ref = api.app.get(RecipientReferences, { strict: false }).encode(alert.batchIds[0] ?? 0, 3);
    expect(await api.app.get(Receipts, { strict: false }).record([{ ref, kind: 'opened' }])).toEqual({
      accepted: 0,
      ignored: 1,
    });
    expect(await receipts(alert)).toBe(0);
    await expect(api.app.get(Forwards, { strict: false }).fromRecipient(ref)).rejects.toMatchObject({
      code: 'alert_ended',
    });
    expect(await forwarders(alert)).toBe(0);
  });

  it('goes with an erased case, however short its agency keeps cases', async () => {
    const alert = await answered(2);
    await db.query('UPDATE cases SET sealed = NULL, erased_at = now() WHERE id = $1', [alert.caseId]);
    await forget('recipients');
    expect([await arrays(alert), await receipts(alert)]).toEqual([0, 0]);
  });
});

describe('an alert whose cases are erased', () => {
  const erase = (alert: SeededAlert) =>
    db.query('UPDATE cases SET sealed = NULL, erased_at = now() WHERE id = $1', [alert.caseId]);

  it('loses texts, place, area, changes and lands, is audited, and answers 410 everywhere', async () => {
    const canary = 'canary-7f3b';
    const texts = { 'zh-CN': { title: canary, body: canary }, en: { title: canary, body: canary } };
    const alert = await seedAlert(db, { agencyId, texts, place: { 'zh-CN': canary, en: canary } });
    const officer = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    await db.query(
      `INSERT INTO alert_changes (id, alert_id, kind, content, proposed_by, author_ids, state, decided_at, reason)
       VALUES (gen_random_uuid(), $1, 'texts', $2, $3, ARRAY[$3::uuid], 'rejected', now(), convert_to($4, 'UTF8'))`,
      [alert.id, { texts }, officer.id, canary],
    );
    await db.query(
      `INSERT INTO alert_lands (id, alert_id, agency_id, policy, state, land, decided_by, decided_at, reason)
       VALUES (gen_random_uuid(), $1, $2, 'ask', 'refused', ST_Multi(ST_MakeEnvelope(114, 22, 115, 23, 4326)), $3, now(), $4)`,
      [alert.id, agencyId, officer.id, canary],
    );
    await endAlert(db, alert);
    await close(alert, 100);
    await erase(alert);
    await forget('alerts');
    const kept = JSON.stringify(
      await Promise.all(
        ['alerts WHERE id', 'messages WHERE alert_id', 'alert_changes WHERE alert_id'].map((from) =>
          db.query(`SELECT * FROM ${from} = $1`, [alert.id]),
        ),
      ),
    );
    expect(kept).not.toContain(canary);
    expect(kept).not.toContain('114.0');
    const [land] = await db.query<[{ empty: boolean; reason: string }]>(
      'SELECT ST_IsEmpty(land) AS empty, reason FROM alert_lands WHERE alert_id = $1',
      [alert.id],
    );
    expect(land).toEqual({ empty: true, reason: '' });
    expect(
      await db.query(`SELECT action, actor, why FROM audit_entries WHERE thing = $1`, [`alert:${alert.id}`]),
    ).toEqual([{ action: 'alert.erase', actor: 'system:retention', why: 'system' }]);
    const gone = await call(api.url, 'GET', `/v1/alerts/${alert.slug}`);
    expect([gone.status, gone.body['code']]).toEqual([410, 'alert_ended']);
    const tip = await call(api.url, 'POST', `/v1/alerts/${alert.slug}/sightings`, { json: { words: 'seen' } });
    expect(tip.status).toBe(410);
    expect((await funnelOf(alert.caseId)).alerts).toHaveLength(1);
  });

  it('stays while it is live, or one of its cases is kept', async () => {
    const live = await seedAlert(db, { agencyId });
    await erase(live);
    const [shared, other] = [await seedAlert(db, { agencyId }), await seedAlert(db, { agencyId })];
    await db.query('INSERT INTO alert_cases (alert_id, case_id) VALUES ($1, $2)', [shared.id, other.caseId]);
    await endAlert(db, shared);
    await erase(shared);
    await forget('alerts');
    expect(await count('alerts WHERE id = ANY ($1) AND erased_at IS NULL', [[live.id, shared.id]])).toBe(2);
  });
});

describe('devices', () => {
  beforeEach(() => db.query('TRUNCATE devices CASCADE'));

  const age = (id: number, heardDays: number, seenDays: number | null) =>
    db.query(
      `WITH heard AS (UPDATE devices SET heard_at = now() - make_interval(days => $2) WHERE id = $1)
       UPDATE positions SET seen_at = now() - make_interval(days => $3) WHERE device_id = $1 AND $3::int IS NOT NULL`,
      [id, heardDays, seenDays],
    );

  it('lose their place after 30 days, and are forgotten 270 days after they were last heard of', async () => {
    const devices = await makeDevices(db, [SHENZHEN, SHENZHEN, SHENZHEN, SHENZHEN]);
    const [fresh = 0, absent = 0, silent = 0, moving = 0] = devices.map(({ id }) => id);
    await age(fresh, 1, 29);
    await age(absent, 300, 31);
    await age(silent, 300, 271);
    await age(moving, 300, 1);
    await forget('places');
    const placed = await db.query<{ device_id: number }[]>(
      'SELECT device_id FROM positions WHERE cell IS NOT NULL ORDER BY 1',
    );
    expect(placed.map((row) => row.device_id)).toEqual([fresh, moving]);
    await forget('devices');
    const left = await db.query<{ id: number }[]>('SELECT id FROM devices ORDER BY id');
    expect(left.map((row) => row.id)).toEqual([fresh, absent, moving]);
  });

  it('are heard of by a new token', async () => {
    const [device] = await makeDevices(db, [SHENZHEN]);
    await age(device?.id ?? 0, 300, 300);
    await api.app.get(Devices, { strict: false }).renewToken(device?.id ?? 0, 'sim:renewed', 'en');
    await forget('places');
    await forget('devices');
    expect(await count('devices')).toBe(1);
  });
});

it('forgets names of requests, sign-ins and jobs after a week', async () => {
  await db.query(
    `INSERT INTO idempotency_keys (scope, key, request_digest, thing_id, created_at)
     SELECT 's', 'key-' || d, '', gen_random_uuid(), now() - make_interval(days => d) FROM unnest(ARRAY[6, 8]) d`,
  );
  await db.query(
    `INSERT INTO outbox (queue, name, data, created_at)
     SELECT 'nobody', 'job', '{}', now() - make_interval(days => d) FROM unnest(ARRAY[6, 8]) d`,
  );
  expect(await worker.get(Idempotency, { strict: false }).forgetOld()).toBe(1);
  expect(await worker.get(Outbox, { strict: false }).forgetOld()).toBe(1);
  await db.query('TRUNCATE outbox');
});

describe('GET /v1/retention', () => {
  const report = (cookie: string) =>
    call<RetentionReport & { code?: string }>(api.url, 'GET', '/v1/retention', { cookie });

  it('shows what goes when, when each step last ran and what is overdue, of the officer’s own agency', async () => {
    const own = await seedAgency(db);
    const cookie = await signIn(api.url, await makeOfficer(api.app, { agencyId: own, roles: ['verifier'] }));
    const [due, overdue, later] = [1, 2, 3].map(() => seedAlert(db, { agencyId: own }));
    for (const [alert, days] of [
      [await due, 90.5],
      [await overdue, 92],
      [await later, 20],
    ] as const) {
      if (!alert) throw new Error('no alert');
      await endAlert(db, alert);
      await close(alert, 0);
      await db.query(`UPDATE cases SET closed_at = now() - make_interval(hours => $2::int) WHERE id = $1`, [
        alert.caseId,
        days * 24,
      ]);
    }
    await worker.get(RetentionRuns).run('places', async () => 7);
    await expect(worker.get(RetentionRuns).run('devices', () => Promise.reject(new Error('away')))).rejects.toThrow(
      'away',
    );
    const { status, body } = await report(cookie);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      agencyId: own,
      retentionDays: 90,
      cases: { kept: 3, due: 2, overdue: 1 },
      recipients: { kept: 3, due: 2, overdue: 2 },
    });
    expect(new Date(String(body.cases.nextAt)).getTime()).toBeGreaterThan(Date.now());
    const step = (name: string) => body.steps.find(({ step: known }) => known === name);
    expect(step('places')).toMatchObject({ forgotten: 7, failedAt: null, late: false, ranAt: expect.any(String) });
    expect(step('devices')?.failedAt).toEqual(expect.any(String));
    expect(await count(`audit_entries WHERE agency_id = $1 AND action = 'retention.read'`, [own])).toBe(1);
  });

  it('is for verifiers and administrators', async () => {
    expect((await report(analyst)).body.code).toBe('forbidden');
    expect((await report(verifier)).status).toBe(200);
  });

  it('calls a step late that never ran', async () => {
    await db.query('TRUNCATE retention_runs');
    const { steps } = (await report(verifier)).body;
    expect(steps.map(({ late }) => late)).toEqual(steps.map(() => true));
    for (const name of Object.keys(worker.get(Retention).steps)) await forget(name);
    const after = (await report(verifier)).body.steps;
    expect(after.map(({ late }) => late)).toEqual(after.map(() => false));
  });
});
