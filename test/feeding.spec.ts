import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { databaseOptions, type Env } from '#platform';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { seedAlert } from './harness/alert-rows.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

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
