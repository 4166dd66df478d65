import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createFcmGateway, type PushGateway } from '#push';
import { Deployment } from './harness/deployment.ts';
import { Simulator, type SimulatorReady } from './harness/running-simulator.ts';
import { named, pushMessages, tally, until } from './push-gateway.contract.ts';

const LATENCY_MS = 400;
const TIMEOUT_MS = 800;
const STANDSTILL_MS = 3_000;

/** No timer fires and nothing is read: as under SIGSTOP, or while a machine is moved. */
const standStill = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe('a sender that stood still', () => {
  let dir: string;
  let deployment: Deployment;
  let simulator: Simulator;
  let gateway: PushGateway;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-standstill-'));
    deployment = new Deployment(process.cwd(), dir, new AbortController().signal);
    const args = ['--dir', join(dir, 'simulator'), '--receive-rate', '0', '--quota-per-minute', '0'];
    const { ready } = await deployment.start<SimulatorReady>(
      'simulator',
      'dist/apps/fcm-simulator/src/main.js',
      {},
      args,
    );
    simulator = new Simulator(ready);
    const token = await simulator.bearer();
    gateway = createFcmGateway({
      ...{ projectId: ready.project, endpoint: ready.fcm, caFile: ready.ca, requestTimeoutMs: TIMEOUT_MS },
      credential: () => ({ getAccessToken: async () => ({ access_token: token, expires_in: 3600 }) }),
    });
  });

  afterEach(async () => {
    await gateway?.close();
    await deployment.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const underWay = async (faults: { timeout: number }) => {
    await simulator.configure({ latencyMs: { min: LATENCY_MS, max: LATENCY_MS }, faults });
    const outcomes = gateway.send('real', pushMessages(100));
    await until(async () => (await simulator.all()).requests === 100);
    standStill(STANDSTILL_MS);
    return tally((await outcomes).map(named));
  };

  it('reads the answers that came meanwhile before it gives any up', async () => {
    expect(await underWay({ timeout: 0 })).toEqual({ accepted: 100 });
    expect((await simulator.all()).accepted).toBe(100);
  });

  it('gives up what was not answered', async () => {
    expect(await underWay({ timeout: 1 })).toEqual({ 'unknown TIMEOUT': 100 });
  });
});
