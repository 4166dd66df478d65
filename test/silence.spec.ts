import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { Proxy } from './chaos/proxy.ts';
import { Deployment } from './harness/deployment.ts';
import { redisUrl, simulatorEnv } from './harness/env.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { until } from './harness/until.ts';

describe('the silence', () => {
  let dir: string;
  let ledger: QuietLedger;
  let simulator: Simulator;
  let deployment: Deployment;
  let proxy: Proxy;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-silence-'));
    ledger = await QuietLedger.start();
    simulator = await startSimulator({ dir, settings: { phones: { receiveRate: 0 } } });
    proxy = await Proxy.to(Number(new URL(redisUrl()).port));
    deployment = new Deployment(process.cwd(), dir, new AbortController().signal);
  }, 60_000);

  afterAll(async () => {
    await deployment?.stop();
    await proxy?.close();
    await simulator?.close();
    await ledger?.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** A new alert reaches everyone. */
  const goesOut = async () => {
    const { alertId, phones } = await ledger.seed([20]);
    await until('all are asked', () => simulator.alertStats(alertId).accepted === phones.length, 45_000);
  };

  it('of a network that has forgotten a worker’s connections to Redis is noticed: the worker makes new ones, and sends', async () => {
    await deployment.start('worker', 'dist/apps/worker/src/main.js', {
      DATABASE_URL: ledger.databaseUrl,
      REDIS_URL: Object.assign(new URL(redisUrl()), { port: String(proxy.port) }).href,
      ...{ WORKER_PORT: '0', PUSH_RAMP_SECONDS: '0' },
      ...simulatorEnv(simulator),
    });
    await goesOut();
    expect(proxy.strand()).toBeGreaterThan(0);
    await goesOut();
  }, 120_000);
});
