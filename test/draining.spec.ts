import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { LonLat } from '#geo';
import { databaseOptions, type Env } from '#platform';
import { Deployment, type Process } from './harness/deployment.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis } from './harness/env.ts';
import { makeDevices, type PlacedDevice, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

const placeOf = (device: PlacedDevice, time: number): LonLat => [device.at[0] + 0.001 * time, device.at[1]];

/** Longer than a process that is told to end is waited for, and shorter than a statement may take. */
const CUT_OFF_MS = 25_000;

interface Answered {
  readonly status: number;
  readonly connection: string | undefined;
}

/** A phone's connection, kept open between its requests as a balancer keeps it. */
class Phone {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    readonly device: PlacedDevice,
    readonly url: string,
  ) {}

  tell([lon, lat]: LonLat): Promise<Answered> {
    return this.#send('PUT', '/v1/devices/me/position', { place: { lon, lat, datum: 'wgs84' } });
  }

  forget(): Promise<Answered> {
    return this.#send('DELETE', '/v1/devices/me');
  }

  #send(method: string, path: string, body?: object): Promise<Answered> {
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const headers = {
      authorization: `Bearer g72d_${this.device.token}`,
      ...(body && { 'content-type': 'application/json' }),
    };
    const sent = request(new URL(path, this.url), { method, agent: this.#agent, headers });
    sent.on('error', reject).on('response', (answer) => {
      const { statusCode: status = 0, headers: answered } = answer.resume();
      answer.on('end', () => resolve({ status, connection: answered.connection }));
    });
    sent.end(body && JSON.stringify(body));
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

describe('a process that is told to end', () => {
  let dir: string;
  let database: TestDatabase;
  let source: DataSource;
  let deployment: Deployment;
  let api: Process<{ readonly url: string }>;
  let phones: Phone[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-draining-'));
    database = await createTestDatabase();
    source = await new DataSource(
      databaseOptions({ DATABASE_URL: database.url, DATABASE_POOL: 2 } as Env, 'test'),
    ).initialize();
    deployment = new Deployment(process.cwd(), dir, new AbortController().signal);
    const settings = {
      DATABASE_URL: database.url,
      REDIS_URL: await emptyRedis(),
      PORT: '0',
      RATE_LIMIT_FACTOR: '1000',
    };
    api = await deployment.start('api', 'dist/apps/api/src/main.js', { ...settings, DRAIN_SECONDS: '1' });
    const devices = await makeDevices(source, scatter(20, SHENZHEN, 50_000));
    phones = devices.map((device) => new Phone(device, api.ready.url));
  }, 60_000);

  afterEach(async () => {
    phones.forEach((phone) => phone.close());
    await deployment.stop();
    await source.destroy();
    await database.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const readiness = async () => {
    const answer = await fetch(new URL('/readyz', api.ready.url));
    return { status: answer.status, body: (await answer.json()) as { ready: boolean; stopping: boolean } };
  };

  const isGone = () =>
    fetch(new URL('/healthz', api.ready.url)).then(
      () => false,
      () => true,
    );

  it('says so first, and answers all that is sent until that is heard', async () => {
    const answers: (Answered & { readonly afterSignal: boolean })[] = [];
    let [signalled, heard] = [false, false];
    const talking = phones.map(async (phone) => {
      for (let time = 1; !heard; time++) {
        const afterSignal = signalled;
        answers.push({ ...(await phone.tell(placeOf(phone.device, time))), afterSignal });
      }
    });
    await until('all have told', () => answers.length > 10 * phones.length);
    process.kill(api.pid, 'SIGTERM');
    signalled = true;
    const { status, body } = await until('it says so', async () => {
      const now = await readiness();
      return now.body.stopping ? now : null;
    });
    expect([status, body.ready]).toEqual([503, false]);
    await until('some are answered all the same', () => answers.filter(({ afterSignal }) => afterSignal).length > 40);
    heard = true;
    await Promise.all(talking);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([204]));
    const leave = answers.filter(({ connection }) => connection === 'close');
    expect(leave.length).toBeGreaterThanOrEqual(phones.length);
    expect(leave.every(({ afterSignal }) => afterSignal)).toBe(true);
    await until('it is gone', isGone);
  });

  /** A phone that asks to be forgotten, and waits for a row that `holder` has locked. */
  const forgetting = async (holder: Client) => {
    const [phone] = phones as [Phone];
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM positions WHERE device_id = $1 FOR UPDATE', [phone.device.id]);
    const forgotten = phone.forget();
    await until('it waits for the row', async () => {
      const [{ waiting }] = await source.query<[{ waiting: number }]>(
        `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting > 0;
    });
    return { phone, forgotten };
  };

  it('finishes what is under way when nobody can reach it any more', async () => {
    const holder = new Client({ connectionString: database.url });
    try {
      const { phone, forgotten } = await forgetting(holder);
      process.kill(api.pid, 'SIGTERM');
      await until('nobody can reach it', isGone);
      await holder.query('COMMIT');
      expect((await forgotten).status).toBe(204);
      expect(await source.query('SELECT 1 FROM devices WHERE id = $1', [phone.device.id])).toEqual([]);
    } finally {
      await holder.end();
    }
  });

  it('is cut off, and says so, where what is under way does not end', async () => {
    const holder = new Client({ connectionString: database.url });
    try {
      const { forgotten } = await forgetting(holder);
      const unanswered = expect(forgotten).rejects.toThrow();
      process.kill(api.pid, 'SIGTERM');
      await until('it has ended', () => !api.alive, CUT_OFF_MS);
      await unanswered;
      expect(await readFile(api.log, 'utf8')).toContain('did not close in time');
    } finally {
      await holder.end();
    }
  }, 60_000);
});
