import type { Env } from './env.ts';
import { LEAVE_REDIS } from './jobs.ts';

/** Longer than BullMQ waits for a job at a time (10 s), shorter than a process that ends is waited for (15 s). */
const SILENT_MS = 13_000;

/**
 * BullMQ's options of every queue and its workers. Commands wait for Redis for ever; a connection on which none is answered is made anew.
 * @param silentMs shorter where somebody watches
 */
export function queueDefaults(env: Pick<Env, 'REDIS_URL'>, silentMs = SILENT_MS) {
  return {
    connection: { url: env.REDIS_URL, maxRetriesPerRequest: null, socketTimeout: silentMs },
    defaultJobOptions: LEAVE_REDIS,
  };
}
