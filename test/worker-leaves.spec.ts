import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { TestCity } from './harness/city.ts';
import { simulatorEnv, testEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

/** After so long a process that is told to end is cut off and exits as failed: see `serve`. */
const GRACE_MS = 15_000;

/** Beside the city's own. */
async function another(city: TestCity, more: Record<string, string>): Promise<NestFastifyApplication> {
  const { url } = city.source.options as { readonly url?: string };
  const worker = await createWorker(testEnv(url ?? '', { ...simulatorEnv(city.simulator), ...more }));
  await worker.init();
  return worker;
}

async function closed(worker: NestFastifyApplication): Promise<void> {
  let done = false;
  const closing = worker.close().then(() => (done = true));
  await until('it has ended', () => done, GRACE_MS);
  await closing;
}

describe('a worker that is told to end', () => {
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start(
      { phones: { openRate: 0 }, latencyMs: { min: 20, max: 200 } },
      { PUSH_QUOTA_PER_MINUTE: '60000' },
    );
  }, 60_000);

  afterAll(() => city?.close());

  const underWay = async (devices: number) => {
    await city.source.query('TRUNCATE devices CASCADE');
    await makeDevices(city.source, scatter(devices, SHENZHEN, 40_000));
    const released = await city.release();
    await until('some are asked', () => city.simulator.alertStats(released.alertId).accepted > devices / 10);
    return released;
  };

  it('gives back what it has not sent: a rolling restart sends nothing twice and loses no lease', async () => {
    let old = await another(city, { PUSH_QUOTA_PER_MINUTE: '60000' });
    const { alertId, targeted } = await underWay(4_000);
    for (let restarts = 0; restarts < 3; restarts++) {
      const before = city.simulator.alertStats(alertId).accepted;
      const next = await another(city, { PUSH_QUOTA_PER_MINUTE: '60000' });
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

describe('a worker that is told to end in the midst of a batch', () => {
  /** A batch of 500 takes half a minute, in chunks of five. */
  const SLOW = { PUSH_QUOTA_PER_MINUTE: '2000', WORKER_CONCURRENCY: '1' };
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } }, SLOW);
  }, 60_000);

  afterAll(() => city?.close());

  it('gives back the rest, known to the last one', async () => {
    const old = await another(city, SLOW);
    await makeDevices(city.source, scatter(1_000, SHENZHEN, 500));
    const { alertId } = await city.release();
    const batches = () =>
      city.source.query<{ state: string; attempt: number; accepted: number; doubtful: boolean; lost: number }[]>(
        `SELECT state, attempt, accepted, results LIKE '%~%' AS doubtful, lost_leases AS lost FROM batches WHERE alert_id = $1 ORDER BY state`,
        [alertId],
      );
    await until('each worker has a batch in hand', async () =>
      (await batches()).every(({ state, accepted }) => state === 'leased' && accepted > 0),
    );
    await closed(old);
    const [kept, givenBack] = await batches();
    expect(kept).toMatchObject({ state: 'leased', lost: 0 });
    expect(givenBack).toMatchObject({ state: 'pending', attempt: 0, doubtful: false, lost: 0 });
    expect(givenBack?.accepted).toBeLessThan(500);
  }, 60_000);
});
