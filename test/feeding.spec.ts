import { getQueueToken } from '@nestjs/bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Queue } from 'bullmq';
import { DataSource } from 'typeorm';
import { DISPATCH_JOBS, Feeder } from '#dispatch';
import { databaseOptions, type Env, type JobData } from '#platform';
import { Sweeper } from '../apps/worker/src/sweeper.ts';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { seedAlert } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { until } from './harness/until.ts';

describe('what the feeder is given', () => {
  let database: TestDatabase;
  let source: DataSource;
  let batches: BatchRepository;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = databaseOptions({ DATABASE_URL: database.url, DATABASE_POOL: 2 } as Env, 'golden72-test');
    source = await new DataSource(options).initialize();
    batches = new BatchRepository(source);
  });

  afterAll(async () => {
    await source?.destroy();
    await database?.drop();
  });

  /** A late wave of batches in these bands. @returns their ids */
  const late = async (alertId: string, bands: readonly number[]): Promise<number[]> => {
    const rows = await source.query<{ id: number }[]>(
      `WITH wave AS (
         INSERT INTO waves (alert_id, message_id, audience, late) SELECT $1, id, 'ring', true FROM messages WHERE alert_id = $1 RETURNING id
       ) INSERT INTO batches (wave_id, alert_id, seq, provider, band, size)
       SELECT wave.id, $1, n, 'fcm', band, 5 FROM wave, unnest($2::smallint[]) WITH ORDINALITY AS given(band, n) ORDER BY n RETURNING id`,
      [alertId, bands],
    );
    return rows.map(({ id }) => id);
  };

  it('is by alert and audience, nearest first over all waves, however many are late', async () => {
    // Bands 0 to 9.
    const big = await seedAlert(source, { batches: Array.from({ length: 10 }, () => 5) });
    const small = await seedAlert(source, { batches: [5] });
    const [near, far] = await late(big.id, [0, 8]);
    for (let n = 0; n < 5; n++) await late(big.id, [9]);
    const ready = await batches.ready(4, 0);
    expect(ready.map(({ batchId }) => batchId).sort((a, b) => a - b)).toEqual(
      [...big.batchIds.slice(0, 3), ...small.batchIds, near as number].sort((a, b) => a - b),
    );
    expect(ready.map(({ batchId }) => batchId)).not.toContain(far);
    await source.query(`UPDATE batches SET state = 'settled', results = repeat('a', size)`);
    const settled = await source.transaction((tx) => new WaveRepository().settle(tx));
    expect(settled).toHaveLength(8);
    expect(await batches.ready(4, 0)).toEqual([]);
  });
});

describe('the feeder', () => {
  let city: TestCity;
  let queue: Queue<JobData<typeof DISPATCH_JOBS.sendBatch>>;

  beforeAll(async () => {
    city = await TestCity.start();
    queue = city.worker.get(getQueueToken(DISPATCH_JOBS.sendBatch.queue), { strict: false });
    // Nothing is taken from the queue, and nobody but the test feeds.
    await queue.pause();
    await city.worker.get(Sweeper).onApplicationShutdown();
  });

  afterAll(() => city?.close());

  const queued = async () => (await queue.getJobs(['prioritized', 'waiting'])).map(({ data }) => data);

  it('queues again what came too early, leaves alone what waits, and fills an emptied queue when it is told to', async () => {
    const feeder = city.worker.get(Feeder);
    await seedAlert(city.source, { batches: [5, 5, 5] });
    await feeder.feed();
    const all = await queued();
    expect(all).toHaveLength(3);

    await queue.drain();
    const [early] = all as [JobData<typeof DISPATCH_JOBS.sendBatch>];
    feeder.done(early);
    await until('it is queued again', async () => (await queued()).length > 0);
    expect(await queued()).toEqual([early]);

    await feeder.feed();
    expect((await queued()).map(({ batchId }) => batchId).sort()).toEqual(all.map(({ batchId }) => batchId).sort());
  });
});
