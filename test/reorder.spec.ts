import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { PositionOrder } from '#audience';
import { databaseOptions } from '#platform';
import { grantRoles } from '../migrations/roles.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { until } from './harness/until.ts';

const DEVICES = 60_000;

let database: TestDatabase;
let db: DataSource;
let owner: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connect('golden72-test', 6);
  owner = await connect('golden72-reorder', 2);
  await db.transaction((tx) => grantRoles(tx));
  // Cells are any numbers here; towns of a hundred positions, stored as they came: in no order.
  await db.query(
    `INSERT INTO devices (secret_hash, provider, platform, token, language)
     SELECT sha256(n::text::bytea), 'fcm', 'android', 'sim:' || n, 'en' FROM generate_series(1, $1::int) n`,
    [DEVICES],
  );
  await db.query(
    `INSERT INTO positions (device_id, provider, cell, lon, lat, seen_at)
     SELECT id, 'fcm', CASE WHEN id % 20 = 0 THEN NULL ELSE (id * 7919) % 600 END,
       CASE WHEN id % 20 = 0 THEN NULL ELSE 114 END, CASE WHEN id % 20 = 0 THEN NULL ELSE 22 END,
       CASE WHEN id % 20 = 0 THEN NULL ELSE now() END FROM devices ORDER BY id`,
  );
  await db.query('VACUUM (ANALYZE) positions');
});

afterAll(async () => {
  await owner?.destroy();
  await db?.destroy();
  await database?.drop();
});

async function connect(name: string, max: number): Promise<DataSource> {
  const source = new DataSource({ ...databaseOptions(testEnv(database.url), name), extra: { max } });
  return source.initialize();
}

/** All that makes the table what it is, but for its order. */
async function shape(): Promise<unknown> {
  const [row] = await db.query<[{ shape: unknown }]>(
    `SELECT jsonb_build_object(
       'columns', (SELECT jsonb_agg(format('%s %s %s %s', attname, atttypid::regtype, attnotnull, attacl) ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
       'constraints', (SELECT jsonb_agg(conname || ' ' || pg_get_constraintdef(oid) || convalidated ORDER BY conname)
         FROM pg_constraint WHERE conrelid = c.oid),
       'indexes', (SELECT jsonb_agg(pg_get_indexdef(indexrelid) ORDER BY 1) FROM pg_index WHERE indrelid = c.oid),
       'triggers', (SELECT jsonb_agg(tgname) FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
       'acl', (SELECT jsonb_agg(a::text ORDER BY a::text) FROM unnest(relacl) a), 'options', reloptions, 'owner', relowner
     ) AS shape FROM pg_class c WHERE oid = 'public.positions'::regclass`,
  );
  return row.shape;
}

const rooms = async () =>
  (await db.query<unknown[]>(`SELECT FROM pg_namespace WHERE nspname = 'positions_reorder'`)).length;

interface Writing {
  readonly writes: number;
  readonly longestMs: number;
}

/** What phones do meanwhile: move, register and leave. @returns what ends it, once all is written */
function writing(): () => Promise<Writing> {
  let over = false;
  let [writes, longestMs] = [0, 0];
  const timed = async (statement: string, parameters: unknown[]) => {
    const began = performance.now();
    await db.query(statement, parameters);
    longestMs = Math.max(longestMs, performance.now() - began);
    writes++;
  };
  const phones = Array.from({ length: 4 }, async (_, phone) => {
    for (let n = 0; !over; n++) {
      // Each phone has devices of its own, so that the last write of each is known.
      const id = 1 + ((phone + 4 * (n * 31)) % DEVICES);
      const cell = (n * 17 + phone) % 600;
      await timed(
        'UPDATE positions SET cell = $2, lon = 114, lat = 22, seen_at = now() WHERE device_id = $1',
        n % 7 === 0 ? [id, -cell] : [id, cell],
      );
      if (n % 10 === 0) {
        await timed(
          `WITH device AS (INSERT INTO devices (secret_hash, provider, platform, language)
             VALUES (sha256($1::text::bytea), 'fcm', 'android', 'en') RETURNING id)
           INSERT INTO positions (device_id, provider) SELECT id, 'fcm' FROM device`,
          [`late ${phone} ${n} ${Math.random()}`],
        );
        await timed('DELETE FROM devices WHERE id = $1', [1 + ((phone + 4 * (n * 31 + 7)) % DEVICES)]);
      }
      if (n % 50 === 0) await setTimeout(1);
    }
  });
  return async () => {
    over = true;
    await Promise.all(phones);
    return { writes, longestMs };
  };
}

/** Kept beside by a trigger of the test's own, in the transactions that write: what `positions` must hold. */
async function keepTruth(): Promise<void> {
  await db.query('CREATE TABLE truth AS SELECT * FROM positions');
  await db.query('ALTER TABLE truth ADD PRIMARY KEY (device_id)');
}

describe('reordering positions', () => {
  it('loses nothing, doubles nothing and restores the order while phones move, register and leave', async () => {
    const before = await shape();
    const positions = new PositionOrder(owner);
    expect(await positions.report()).toMatchObject({ begun: false, pays: true });
    const stop = writing();
    await setTimeout(300);
    const began = performance.now();
    await positions.reorder();
    const tookMs = performance.now() - began;
    const { writes, longestMs } = await stop();
    const report = await positions.report();
    expect(report).toMatchObject({ begun: false, pays: false });
    expect(report.spread).toBeLessThan(2);
    expect(writes).toBeGreaterThan(100);
    expect(longestMs).toBeLessThan(2_500);
    expect(tookMs).toBeGreaterThan(longestMs);
    expect(await shape()).toEqual(before);
    expect(await rooms()).toBe(0);
  });

  it('ends with exactly what the phones wrote', async () => {
    await keepTruth();
    const moved = new Map<number, number | null>();
    let over = false;
    const phones = Array.from({ length: 4 }, async (_, phone) => {
      for (let n = 0; !over; n++) {
        const id = 1 + phone + 4 * ((n * 7) % (DEVICES / 4));
        if (n % 9 === 0) {
          await db.query('DELETE FROM devices WHERE id = $1', [id]);
          moved.set(id, null);
        } else {
          const [, changed] = await db.query<[unknown, number]>(
            'UPDATE positions SET cell = $2, lon = 1, lat = 1, seen_at = now() WHERE device_id = $1',
            [id, n],
          );
          if (changed > 0) moved.set(id, n);
        }
      }
    });
    await setTimeout(100);
    await new PositionOrder(owner).reorder();
    over = true;
    await Promise.all(phones);
    const expected = new Map<number, number | null>(
      (await db.query<{ device_id: number; cell: number | null }[]>('SELECT device_id, cell FROM truth')).map(
        ({ device_id, cell }) => [device_id, cell],
      ),
    );
    for (const [id, cell] of moved) {
      if (cell === null) expected.delete(id);
      else expected.set(id, cell);
    }
    const rows = await db.query<{ device_id: number; cell: number | null }[]>('SELECT device_id, cell FROM positions');
    expect(rows).toHaveLength(expected.size);
    expect(rows.filter(({ device_id, cell }) => expected.get(device_id) !== cell)).toEqual([]);
    expect(moved.size).toBeGreaterThan(100);
    // The index tells of the same rows as the table.
    const [{ n }] = await db.query<[{ n: number }]>('SELECT count(*) AS n FROM positions WHERE cell >= -1000000');
    expect(n).toBe([...expected.values()].filter((cell) => cell !== null).length);
  });

  it('killed midway leaves a table that works, and goes on where it was', async () => {
    const before = await shape();
    const doomed = await connect('golden72-doomed', 2);
    const run = new PositionOrder(doomed).reorder((rows) => {
      if (rows >= 40_000) void kill();
    });
    const kill = () =>
      db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'golden72-doomed'`);
    await expect(run).rejects.toThrow();
    await doomed.destroy().catch(() => undefined);
    await until('the killed have gone', async () => {
      const [{ n }] = await db.query<[{ n: number }]>(
        `SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'golden72-doomed'`,
      );
      return n === 0;
    });
    const positions = new PositionOrder(owner);
    expect((await positions.report()).begun).toBe(true);
    await db.query(
      'UPDATE positions SET cell = 424242, lon = 1, lat = 1, seen_at = now() WHERE device_id = (SELECT max(device_id) FROM positions)',
    );
    const read: number[] = [];
    await positions.reorder((rows) => read.push(rows));
    expect(read.at(-1)).toBeLessThan(40_000);
    const [{ n }] = await db.query<[{ n: number }]>('SELECT count(*) AS n FROM positions WHERE cell = 424242');
    expect(n).toBe(1);
    expect(await shape()).toEqual(before);
    expect(await rooms()).toBe(0);
  });

  it('is given up without a trace', async () => {
    const before = await shape();
    const doomed = await connect('golden72-doomed', 2);
    const stopped = new PositionOrder(doomed).reorder(() => {
      throw new Error('ended');
    });
    await expect(stopped).rejects.toThrow('ended');
    await doomed.destroy();
    expect(await rooms()).toBe(1);
    await new PositionOrder(owner).abandon();
    expect([await rooms(), await shape()]).toEqual([0, before]);
  });

  it('waits for who holds the table without holding up those behind for long', async () => {
    const holder = db.createQueryRunner();
    await holder.startTransaction();
    await holder.query('UPDATE positions SET muted_until = now() WHERE device_id = 2');
    const reordering = new PositionOrder(owner).reorder();
    const waits: number[] = [];
    for (let n = 0; n < 60; n++) {
      const began = performance.now();
      await db.query('UPDATE positions SET muted_until = now() WHERE device_id = 3');
      waits.push(performance.now() - began);
      await setTimeout(20);
    }
    await holder.commitTransaction();
    await holder.release();
    await reordering;
    expect(Math.max(...waits)).toBeLessThan(1_000);
    expect(await rooms()).toBe(0);
  });

  it('is refused while another runs, and where the table has what it would lose', async () => {
    const holder = db.createQueryRunner();
    await holder.query('SELECT pg_advisory_lock(727200002)');
    await expect(new PositionOrder(owner).reorder()).rejects.toMatchObject({ code: 'reorder_running' });
    await holder.query('SELECT pg_advisory_unlock_all()');
    await holder.release();
    await db.query('CREATE VIEW seen AS SELECT device_id FROM positions');
    await expect(new PositionOrder(owner).reorder()).rejects.toMatchObject({ code: 'reorder_barred' });
    await db.query('DROP VIEW seen');
    expect(await rooms()).toBe(0);
  });
});
