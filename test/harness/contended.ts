import type { DataSource } from 'typeorm';
import { until } from './until.ts';

/**
 * Locks rows, starts a race for them, and lets go once `contenders` wait: a race that happens every time.
 * @param lock a SELECT … FOR UPDATE of `id`
 */
export async function contended<Result>(
  db: DataSource,
  lock: string,
  id: unknown,
  contenders: number,
  race: () => Promise<Result>,
): Promise<Result> {
  const holder = db.createQueryRunner();
  try {
    await holder.startTransaction();
    await holder.query(lock, [id]);
    const racing = race();
    await until(`${contenders} wait for the rows`, async () => {
      // A transaction sees the activity of its first look until it is told to look anew.
      await holder.query('SELECT pg_stat_clear_snapshot()');
      const [{ waiting }] = (await holder.query(
        `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )) as [{ waiting: number }];
      return waiting >= contenders;
    });
    await holder.commitTransaction();
    return await racing;
  } finally {
    await holder.release();
  }
}
