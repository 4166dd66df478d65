import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { TestCity } from './harness/city.ts';
import { simulatorEnv, testEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

/** After so long a process that is told to end is cut off and exits as failed: see `serve`. */
const GRACE_MS = 15_000;

describe('a worker that is told to end', () => {
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start(
      { phones: { openRate: 0 }, latencyMs: { min: 20, max: 200 } },
      { PUSH_QUOTA_PER_MINUTE: '60000' },
    );
  }, 60_000);

  afterAll(() => city?.close());

  const another = async (): Promise<NestFastifyApplication> => {
    const { url } = city.source.options as { readonly url?: string };
    const env = testEnv(url ?? '', { ...simulatorEnv(city.simulator), PUSH_QUOTA_PER_MINUTE: '60000' });
    const worker = await createWorker(env);
    await worker.init();
    return worker;
  };

  const underWay = async (devices: number) => {
    await city.source.query('TRUNCATE devices CASCADE');
    await makeDevices(city.source, scatter(devices, SHENZHEN, 40_000));
    const released = await city.release();
    await until('some are asked', () => city.simulator.alertStats(released.alertId).accepted > devices / 10);
    return released;
  };

  const closed = async (worker: NestFastifyApplication) => {
    let done = false;
    const closing = worker.close().then(() => (done = true));
    await until('it has ended', () => done, GRACE_MS);
    await closing;
  };

  it('gives back what it has not sent: a rolling restart sends nothing twice and loses no lease', async () => {
    let old = await another();
    const { alertId, targeted } = await underWay(4_000);
    for (let restarts = 0; restarts < 3; restarts++) {
      const before = city.simulator.alertStats(alertId).accepted;
      const next = await another();
      await closed(old);
      old = next;
      await until('it goes on', () => {
        const { accepted } = city.simulator.alertStats(alertId);
        return accepted > before || accepted === targeted;
      });
    }
    await city.settled(alertId, 60_000);
    await closed(old);
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
    const [row] = await city.source.query<[{ lost: number; unknown: number }]>(
      'SELECT sum(lost_leases)::int AS lost, sum(unknown)::int AS unknown FROM batches WHERE alert_id = $1',
      [alertId],
    );
    expect(row).toEqual({ lost: 0, unknown: 0 });
  }, 120_000);
});
