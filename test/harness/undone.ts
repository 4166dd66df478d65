import type { DataSource, EntityManager } from 'typeorm';

/** Runs something in a transaction that is rolled back: nobody else sees what it does. */
export async function undone(source: DataSource, work: (tx: EntityManager) => Promise<void>): Promise<void> {
  const stop = new Error('rolled back');
  const run = source.transaction(async (tx) => {
    await work(tx);
    throw stop;
  });
  await run.catch((error: unknown) => {
    if (error !== stop) throw error;
  });
}
