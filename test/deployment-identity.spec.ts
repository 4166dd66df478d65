import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource, type EntityManager } from 'typeorm';
import { Restoration } from '#dispatch';
import { DeploymentIdentity } from '#platform';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import { type SeededAlert, seedAlert } from './harness/alert-rows.ts';
import { cloneDatabase, createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { dumpOf } from './harness/residue.ts';
import { restore } from './harness/restored.ts';
import { until } from './harness/until.ts';

describe('the identity of a deployment', () => {
  let database: TestDatabase;
  /** All of a worker but its timers and processors. */
  let worker: NestFastifyApplication;
  let db: DataSource;
  let alert: SeededAlert;

  beforeAll(async () => {
    database = await createTestDatabase();
    worker = await createWorker(testEnv(database.url));
    db = worker.get(DataSource);
  });

  afterAll(async () => {
    await worker?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    alert = await owing(db);
  });

  /** A live alert with two phones still to be asked. */
  const owing = async (source: DataSource) => {
    const seeded = await seedAlert(source, { batches: [2], releasedAgoH: 0 });
    await source.query(`INSERT INTO batch_recipients (batch_id, ids) VALUES ($1, '{1,2}')`, [seeded.batchIds[0]]);
    return seeded;
  };

  const check = (app = worker) => app.get(Restoration).check();
  const change = (set: string) => db.query(`UPDATE deployment_identity SET ${set}`);
  const heldFor = async (id = alert.id, source = db) => {
    const [row] = await source.query<[{ reason: string | null }]>(
      'SELECT held_reason AS reason FROM alerts WHERE id = $1',
      [id],
    );
    return row.reason;
  };
  /** Whether the alert's batch can be had for sending now; it is given back. */
  const claimable = async (app = worker, { batchIds: [id] } = alert) => {
    const source = app.get(DataSource);
    const [row] = await source.query<[{ epoch: number }]>('SELECT epoch FROM batches WHERE id = $1', [id]);
    const lease = await app.get(BatchRepository, { strict: false }).claim(id as number, row.epoch);
    if (lease) await source.query(`UPDATE batches SET state = 'pending', lease_until = NULL WHERE id = $1`, [id]);
    return lease !== null;
  };

  const isWaiting = async () => {
    const [row] = await db.query<[{ waiting: boolean }]>(
      `SELECT count(*) > 0 AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return row.waiting;
  };

  it('is taken on by the first worker, and kept by every sweep', async () => {
    expect(await claimable()).toBe(true);
    await check();
    await check();
    expect([await heldFor(), await claimable()]).toEqual([null, true]);
    const [row] = await db.query<[{ all: boolean; beat: boolean }]>(
      `SELECT num_nulls(system_identifier, database_oid, table_oid, timeline) = 0 AS all,
         swept_at > now() - interval '1 minute' AS beat FROM deployment_identity`,
    );
    expect(row).toEqual({ all: true, beat: true });
  });

  it.each([
    ['another cluster', 'system_identifier = system_identifier + 1'],
    ['another database of the cluster', 'database_oid = 1'],
    ['the same database, emptied and filled again', 'table_oid = 1'],
    ['an earlier moment of the same database, an hour ago', `timeline = 0, swept_at = now() - interval '1 hour'`],
    ['a later history that was given up', 'timeline = 9'],
  ])('tells a restore of a copy from %s: nothing is sent, every live alert is held', async (_, set) => {
    await check();
    await change(set);
    expect(await claimable()).toBe(false);
    // At the same time, as workers do.
    await Promise.all([check(), check()]);
    expect([await heldFor(), await claimable()]).toEqual(['restored', false]);
    const entries = await db.query<unknown[]>(`SELECT actor, detail FROM audit_entries WHERE thing = $1`, [
      `alert:${alert.id}`,
    ]);
    expect(entries).toEqual([{ actor: 'system:restore', detail: { reason: 'restored' } }]);
    const later = await owing(db);
    await check();
    expect([await heldFor(later.id), await claimable(worker, later)]).toEqual([null, true]);
  });

  it('is taken on by one worker: another that asks meanwhile finds it settled', async () => {
    await check();
    await change('database_oid = 1');
    const settle = (tx: EntityManager) => worker.get(DeploymentIdentity).settle(tx);
    const [first, second] = await db.transaction(async (tx) => {
      const standing = await settle(tx);
      const later = db.transaction(settle);
      await until('it waits', () => isWaiting());
      return [standing, [later]] as const;
    });
    expect([first, await second[0]]).toEqual(['restored', 'same']);
  });

  it('lets a standby go on that was promoted', async () => {
    await check();
    await change('timeline = 0');
    expect(await claimable()).toBe(false);
    await check();
    expect([await heldFor(), await claimable()]).toEqual([null, true]);
  });

  it('sends nothing where the row is lost, and says so', async () => {
    await check();
    await db.query('CREATE TABLE kept AS SELECT * FROM deployment_identity');
    await db.query('DELETE FROM deployment_identity');
    await expect(check()).rejects.toThrow('has lost its row');
    expect(await claimable()).toBe(false);
    await db.query('INSERT INTO deployment_identity SELECT * FROM kept; DROP TABLE kept');
    expect(await claimable()).toBe(true);
  });

  describe.each<[string, (of: string) => Promise<TestDatabase>]>([
    ['pg_dump and a restore by hand', (of) => restore(dumpOf(of, '--inserts', '--no-owner', '--no-acl'))],
    ['CREATE DATABASE … TEMPLATE', cloneDatabase],
  ])('in a copy by %s', (_, copy) => {
    it('holds what was live, before anything is sent', async () => {
      const origin = await createTestDatabase();
      const before = await createWorker(testEnv(origin.url));
      const owed = await owing(before.get(DataSource));
      await check(before);
      await before.close();
      const copied = await copy(origin.url);
      const after = await createWorker(testEnv(copied.url));
      try {
        expect(await claimable(after, owed)).toBe(false);
        await check(after);
        expect(await heldFor(owed.id, after.get(DataSource))).toBe('restored');
      } finally {
        await after.close();
        await copied.drop();
        await origin.drop();
      }
    });
  });
});
