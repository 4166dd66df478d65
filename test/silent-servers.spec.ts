import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { databaseOptions, type Env, isUnavailable, outlast, PlatformModule, REDIS } from '#platform';
import { Proxy } from './chaos/proxy.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis, redisUrl, testEnv } from './harness/env.ts';
import { until } from './harness/until.ts';

/** Short, and each far enough from the next. */
const PATIENCE = { connection: 400, statement: 800, silence: 1_200, connected: 60_000 };

/** What Linux's table of connections calls a timer of keepalive (Documentation/networking/proc_net_tcp.rst). */
const KEEPALIVE = '02';

describe('a PostgreSQL that falls silent', () => {
  let database: TestDatabase;
  let proxy: Proxy;
  let source: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    proxy = await Proxy.to(Number(new URL(database.url).port));
    source = await connect(1);
  });

  afterEach(async () => {
    await proxy.close();
    await source.destroy();
  });

  afterAll(() => database?.drop());

  const connect = (connections: number, patience = PATIENCE) => {
    const url = Object.assign(new URL(database.url), { port: String(proxy.port) }).href;
    return new DataSource(
      databaseOptions({ DATABASE_URL: url, DATABASE_POOL: connections } as Env, 'silent', patience),
    ).initialize();
  };

  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'none',
      (error: unknown) => ({ unavailable: isUnavailable(error), error: String(error) }),
    );

  it('is broken off, and asked anew on another connection', async () => {
    proxy.strand();
    expect(await failure(source.query('SELECT 1'))).toMatchObject({ unavailable: true });
    // The pool has one place: what stands there now is new.
    expect(await source.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is outlasted', async () => {
    proxy.strand();
    expect(await outlast(10_000, () => source.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('is no more waited for when it takes a connection and says nothing', async () => {
    proxy.turn('silent');
    proxy.cut();
    await until('the pool has noticed', () => proxy.connections === 0);
    expect(await failure(source.query('SELECT 1'))).toMatchObject({ unavailable: true });
  });

  it('is no more waited for when no connection comes free', async () => {
    const holder = source.createQueryRunner();
    await holder.query(`SELECT 1`);
    expect(await failure(source.query('SELECT 1'))).toMatchObject({
      unavailable: true,
      error: expect.stringContaining('timeout exceeded when trying to connect'),
    });
    await holder.release();
  });

  it('ends a statement that hangs by itself, and the connection goes on', async () => {
    const [{ pid }] = await source.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid');
    const hanging = source.query('SELECT pg_sleep(30)');
    await expect(hanging).rejects.toMatchObject({ driverError: { code: '57014' } });
    expect(await source.query('SELECT pg_backend_pid() AS pid')).toEqual([{ pid }]);
  });

  it('lets go of what an idle transaction holds', async () => {
    const other = await connect(1);
    // Whose own end would not break it off.
    const patient = await connect(1, { ...PATIENCE, silence: 60_000 });
    const idle = patient.createQueryRunner();
    await idle.startTransaction();
    await idle.query('LOCK TABLE outbox');
    const lock = () => other.transaction((tx) => tx.query('LOCK TABLE outbox NOWAIT'));
    await expect(lock()).rejects.toMatchObject({ driverError: { code: '55P03' } });
    await until('it is free', async () => (await failure(lock())) === 'none');
    expect(await failure(idle.query('SELECT 1'))).not.toBe('none');
    await idle.release();
    await patient.destroy();
    await other.destroy();
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('is asked by the system whether it is there, while nothing is said', async () => {
    // sl, local address, remote address, state, queues, timer:when …
    const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
    const ours = lines.filter(([, , remote]) => remote?.endsWith(`:${hex(proxy.port)}`));
    expect(ours.map(([, , , , , timer]) => timer?.split(':')[0])).toEqual([KEEPALIVE]);
  });
});

describe('a Redis that falls silent', () => {
  let proxy: Proxy;
  let url: string;

  beforeEach(async () => {
    await emptyRedis();
    const redis = new URL(redisUrl());
    proxy = await Proxy.to(Number(redis.port));
    url = Object.assign(redis, { port: String(proxy.port) }).href;
  });

  afterEach(() => proxy.close());

  it('is given up by a command, and its connection made anew', async () => {
    const database = await createTestDatabase();
    @Module({ imports: [PlatformModule.forRoot(testEnv(database.url, { REDIS_URL: url }), 'silent')] })
    class Platform {}
    const app = await NestFactory.createApplicationContext(Platform, { logger: false });
    const redis = app.get<Redis>(REDIS);
    await redis.set('known', 'before');
    proxy.strand();
    const error = await redis.get('known').catch((reason: unknown) => reason);
    expect([String(error), isUnavailable(error)]).toEqual(['Error: Command timed out', true]);
    await until('it answers', () => redis.get('known').catch(() => null));
    await app.close();
    await database.drop();
  });
});

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
