import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import type { OfficerActor } from '#access';
import { Cases } from '#cases';
import { Alerts, Ending, Release, submissionVersion } from '#dispatch';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { redisUrl, simulatorEnv, testEnv } from './harness/env.ts';
import { makeActor, makeAgency, makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

describe('dispatch', () => {
  let dir: string;
  let database: TestDatabase;
  let simulator: Simulator;
  let worker: NestFastifyApplication;
  let source: DataSource;
  let liaison: OfficerActor;
  let verifier: OfficerActor;
  let release: Release;
  let ending: Ending;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-dispatch-'));
    database = await createTestDatabase();
    const redis = new Redis(redisUrl());
    await redis.flushdb();
    redis.disconnect();
    simulator = await startSimulator({ dir, settings: { unregisteredRate: 0.05, phones: { openRate: 0 } } });
    worker = await createWorker(testEnv(database.url, simulatorEnv(simulator)));
    await worker.init();
    source = worker.get(DataSource);
    release = worker.get(Release);
    ending = worker.get(Ending);
    const agencyId = await makeAgency(source);
    liaison = await makeActor(source, agencyId, 'liaison');
    verifier = await makeActor(source, agencyId, 'verifier');
  }, 60_000);

  afterAll(async () => {
    await worker?.close();
    await simulator?.close();
    await database?.drop();
    await rm(dir, { recursive: true, force: true });
  });

  beforeEach(() => source.query('TRUNCATE devices CASCADE'));

  const submit = async (submission = makeSubmission()) => {
    const id = await release.file(liaison, submission);
    await release.submit(liaison, id);
    return id;
  };

  const versionOf = async (caseId: string) => {
    const { found, photos } = await worker.get(Cases).read(verifier, caseId);
    const proposed = await worker.get(Alerts).ofCase(caseId);
    if (!proposed) throw new Error('no alert');
    return submissionVersion(found, photos, proposed.alert, proposed.message);
  };

  const verify = async (caseId: string) => release.verify(verifier, caseId, await versionOf(caseId));

  const books = async (alertId: string, audience: 'ring' | 'notified') => {
    const [row] = await source.query<Record<string, number>[]>(
      `SELECT coalesce(sum(size), 0)::int AS size, coalesce(sum(accepted), 0)::int AS accepted,
         coalesce(sum(unregistered), 0)::int AS unregistered, coalesce(sum(rejected), 0)::int AS rejected,
         coalesce(sum(expired), 0)::int AS expired, coalesce(sum(stopped), 0)::int AS stopped,
         coalesce(sum(b.unknown), 0)::int AS unknown, coalesce(sum(pending), 0)::int AS pending
       FROM batches b JOIN waves w ON w.id = b.wave_id WHERE b.alert_id = $1 AND w.audience = $2`,
      [alertId, audience],
    );
    return row as Record<string, number>;
  };

  const settled = (alertId: string) =>
    until('every wave settled', async () => {
      const [row] = await source.query<[{ open: number }]>(
        'SELECT count(*) AS open FROM waves WHERE alert_id = $1 AND settled_at IS NULL',
        [alertId],
      );
      return row.open === 0;
    });

  const found = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'direct' } as const;

  it('asks exactly those within 120 km, nearest first, and balances its books with the simulator', async () => {
    await makeDevices(source, scatter(3000, SHENZHEN, 150_000));
    const [oracle] = await source.query<[{ inside: number }]>(
      `SELECT count(*) AS inside FROM positions
       WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, 120000)`,
      [...SHENZHEN],
    );
    const released = await verify(await submit());
    expect(released.targeted).toBe(oracle.inside);
    expect(oracle.inside).toBeGreaterThan(1000);
    await settled(released.alertId);
    const ring = await books(released.alertId, 'ring');
    const { size, pending, ...ends } = ring;
    expect(pending).toBe(0);
    expect(Object.values(ends).reduce((sum, n) => sum + n)).toBe(size);
    expect(size).toBe(released.targeted);
    expect(simulator.alertStats(released.alertId)?.accepted).toBe(ring['accepted']);
    expect(ring['unregistered']).toBeGreaterThan(0);
    const order = await source.query<{ band: number; seq: number }[]>(
      'SELECT band, seq FROM batches WHERE alert_id = $1 ORDER BY seq',
      [released.alertId],
    );
    expect(order.map((batch) => batch.band)).toEqual(order.map((batch) => batch.band).sort((a, b) => a - b));
  });

  it('tells exactly those who were asked how it ended, less those who left', async () => {
    const devices = await makeDevices(source, scatter(1500, SHENZHEN, 60_000));
    const released = await verify(await submit());
    await settled(released.alertId);
    const ring = await books(released.alertId, 'ring');
    const [gone] = await source.query<[{ n: number }]>(
      `WITH asked AS (SELECT unnest(r.ids) AS id, unnest(string_to_array(b.results, NULL)) AS result
         FROM batches b JOIN batch_recipients r ON r.batch_id = b.id WHERE b.alert_id = $1),
       leaving AS (DELETE FROM devices WHERE id IN (SELECT id FROM asked WHERE result = 'a' LIMIT 7) RETURNING 1)
       SELECT count(*) AS n FROM leaving`,
      [released.alertId],
    );
    expect(gone.n).toBe(7);
    await ending.end(liaison, released.alertId, found);
    await settled(released.alertId);
    const told = await books(released.alertId, 'notified');
    expect(told['size']).toBe((ring['accepted'] as number) + (ring['unknown'] as number) - 7);
    expect(told['accepted']).toBe(told['size']);
    const stats = simulator.alertStats(released.alertId);
    expect(stats?.byKind.found?.accepted).toBe(told['accepted']);
    expect(devices.length).toBe(1500);
  });

  it('stops at an ending: what was not sent is stopped, what was sent is told', async () => {
    await makeDevices(source, scatter(3000, SHENZHEN, 100_000));
    await simulator.configure({ latencyMs: { min: 30, max: 60 } });
    const released = await verify(await submit());
    await until('some are asked', () => (simulator.alertStats(released.alertId)?.accepted ?? 0) > 200);
    await ending.end(verifier, released.alertId, found);
    await settled(released.alertId);
    await simulator.configure({ latencyMs: { min: 0, max: 0 } });
    const ring = await books(released.alertId, 'ring');
    const told = await books(released.alertId, 'notified');
    expect(ring['pending']).toBe(0);
    expect(ring['stopped']).toBeGreaterThan(0);
    expect(told['size']).toBe((ring['accepted'] as number) + (ring['unknown'] as number));
    expect(simulator.alertStats(released.alertId)?.byKind.alert?.accepted).toBe(ring['accepted']);
    const [wave] = await source.query<[{ targeted: number }]>(
      `SELECT targeted FROM waves WHERE alert_id = $1 AND audience = 'notified'`,
      [released.alertId],
    );
    expect(wave.targeted).toBe(told['size']);
  });

  it('refuses the submitter, a stale version and a second verification', async () => {
    const agent = await makeActor(source, liaison.agencyId, 'liaison', 'verifier');
    const id = await release.file(agent, makeSubmission());
    await release.submit(agent, id);
    const version = await versionOf(id);
    await expect(release.verify(agent, id, version)).rejects.toMatchObject({ code: 'verifier_is_author' });
    await expect(release.verify(verifier, id, 'f'.repeat(64))).rejects.toMatchObject({ code: 'version_changed' });
    await release.verify(verifier, id, version);
    await expect(release.verify(verifier, id, version)).rejects.toMatchObject({ code: 'case_transition_illegal' });
  });

  it('refuses a case last seen outside the jurisdiction', async () => {
    const id = await release.file(liaison, makeSubmission({}, [121.47, 31.23]));
    await expect(release.submit(liaison, id)).rejects.toMatchObject({ code: 'outside_jurisdiction' });
  });

  it('expires by itself, and the case stays open', async () => {
    await makeDevices(source, scatter(50, SHENZHEN, 5_000));
    const caseId = await submit();
    const released = await verify(caseId);
    await settled(released.alertId);
    await source.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [released.alertId]);
    await until('expired', async () => {
      const [row] = await source.query<[{ state: string }]>('SELECT state FROM alerts WHERE id = $1', [
        released.alertId,
      ]);
      return row.state === 'ended';
    });
    await settled(released.alertId);
    expect(simulator.alertStats(released.alertId)?.byKind.expire?.accepted).toBeGreaterThan(0);
    const { found: held } = await worker.get(Cases).read(verifier, caseId);
    expect(held.state).toBe('active');
  });
});
