import type { Worker } from 'bullmq';

/** Batches under way stop within a chunk; what takes longer is waiting for a Redis that is away. */
const PATIENCE_MS = 10_000;

/** Closes a queue's worker when its jobs are done, or by force when they are not soon. */
export async function closeSoon(worker: Worker): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => resolve(), PATIENCE_MS);
  await Promise.race([worker.close(), late]);
  clearTimeout(timer);
  void worker.close(true);
}
