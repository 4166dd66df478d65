import type { Worker } from 'bullmq';
import { inTime } from '#platform';

/** Batches under way stop within a chunk; what takes longer is waiting for a server that is away. */
const PATIENCE_MS = 10_000;
/** A Redis that takes longer to answer is as far away as one that refuses. */
const ANSWER_MS = 1_000;

/**
 * Closes a queue's worker once the work under way is done. BullMQ would then tell Redis so, and wait for it without end where it is
 * away (github.com/taskforcesh/bullmq/issues/4656): there it is not told. The queue gives such jobs to somebody else, who finds them done.
 */
export async function closeSoon(worker: Worker, underWay: Iterable<Promise<unknown>>): Promise<void> {
  await worker.pause(true);
  const told = inTime(PATIENCE_MS, 'jobs go on', Promise.allSettled(underWay)).then(() =>
    inTime(ANSWER_MS, 'Redis does not answer', answers(worker)),
  );
  await worker.close(!(await told.catch(() => false)));
}

/** Whether both of a worker's connections stand, and Redis answers on the one that does not wait for jobs. */
async function answers(worker: Worker): Promise<boolean> {
  const { client, blockingClient } = worker.getBackend();
  const [asking, waiting] = await Promise.all([client, blockingClient]);
  if (asking.status !== 'ready' || waiting?.status !== 'ready') return false;
  await asking.info();
  return true;
}
