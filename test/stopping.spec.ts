import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { Proxy } from './chaos/proxy.ts';
import { Deployment, type Process } from './harness/deployment.ts';
import { redisUrl, simulatorEnv } from './harness/env.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { until } from './harness/until.ts';

/** A process that listens. */
type Server = Process<{ readonly url: string }>;

describe('a process that ends', () => {
  let dir: string;
  let ledger: QuietLedger;
  let simulator: Simulator;
  let deployment: Deployment;
  let proxy: Proxy;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-stopping-'));
    ledger = await QuietLedger.start();
    simulator = await startSimulator({
      dir,
      settings: { phones: { receiveRate: 0 }, latencyMs: { min: 400, max: 800 } },
    });
    deployment = new Deployment(process.cwd(), dir, new AbortController().signal);
  }, 60_000);

  beforeEach(async () => {
    proxy = await Proxy.to(Number(new URL(redisUrl()).port));
  });

  afterEach(async () => {
    await deployment.stop();
    await proxy.close();
  });

  afterAll(async () => {
    await simulator?.close();
    await ledger?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const start = (name: 'api' | 'public' | 'worker'): Promise<Server> =>
    deployment.start(name, `dist/apps/${name}/src/main.js`, {
      DATABASE_URL: ledger.databaseUrl,
      REDIS_URL: Object.assign(new URL(redisUrl()), { port: String(proxy.port) }).href,
      ...{ PORT: '0', PUBLIC_PORT: '0', WORKER_PORT: '0', PUSH_RAMP_SECONDS: '0' },
      ...simulatorEnv(simulator),
    });

  const ofRedis = (server: Server, state: 'ok' | 'unreachable') =>
    until(`Redis is ${state} to it`, async () => {
      const answer = await fetch(new URL('/readyz', server.ready.url));
      return ((await answer.json()) as { parts: Record<string, string> }).parts['redis'] === state;
    });

  /** Tells them to end. */
  const ended = (servers: readonly Server[]) => {
    servers.forEach((server) => server.signal('SIGTERM'));
    return Promise.all(servers.map(({ exit }) => exit));
  };

  const WELL = [0, null];

  it('ends well while Redis is away, and a worker settles what it has begun', async () => {
    const servers = await Promise.all([start('api'), start('public'), start('worker')]);
    const { alertId } = await ledger.seed([200, 200, 200, 200]);
    await until('some are asked', () => simulator.alertStats(alertId).accepted > 0);
    await proxy.close();
    const leased = await ledger.source.query<object[]>(
      `SELECT 1 FROM batches WHERE alert_id = $1 AND state = 'leased'`,
      [alertId],
    );
    expect(leased).not.toEqual([]);
    expect(await ended(servers)).toEqual([WELL, WELL, WELL]);
    const rows = await ledger.source.query<{ state: string; results: string; lost: number }[]>(
      `SELECT state, coalesce(results, '') AS results, lost_leases AS lost FROM batches WHERE alert_id = $1`,
      [alertId],
    );
    const doubtful = rows.filter(
      ({ state, results, lost }) => state !== 'pending' || !/^[a.]*$/.test(results) || lost > 0,
    );
    expect(doubtful).toEqual([]);
    const accepted = rows.reduce((sum, { results }) => sum + results.replaceAll('.', '').length, 0);
    expect(simulator.alertStats(alertId)).toMatchObject({ accepted, duplicates: 0 });
  }, 60_000);

  it('leaves nothing open that would keep it, when nobody asks but its parent has vanished', async () => {
    const servers = await Promise.all([start('api'), start('worker')]);
    await Promise.all(servers.map((server) => ofRedis(server, 'ok')));
    servers.forEach((server) => server.desert());
    // Sooner than any silence of Redis would be noticed by a connection that was left.
    await until('they have ended', () => servers.every(({ alive }) => !alive), 10_000);
    expect(await Promise.all(servers.map(({ exit }) => exit))).toEqual([WELL, WELL]);
  }, 60_000);

  it('ends well while Redis is silent', async () => {
    const servers = await Promise.all([start('api'), start('worker')]);
    await Promise.all(servers.map((server) => ofRedis(server, 'ok')));
    proxy.turn('silent');
    expect(await ended(servers)).toEqual([WELL, WELL]);
  }, 60_000);

  it('ends well without ever having met Redis', async () => {
    await proxy.close();
    const servers = await Promise.all([start('api'), start('worker')]);
    await Promise.all(servers.map((server) => ofRedis(server, 'unreachable')));
    expect(await ended(servers)).toEqual([WELL, WELL]);
  }, 60_000);
});
