import { z } from 'zod';
import { defineJob } from '#platform';

/**
 * Sends one batch: `epoch` is the batch's when it was queued, so that a job overtaken by another does nothing. Wave and band
 * tell a worker the batch's place in the order of its pushes before the batch is claimed.
 */
export const sendBatch = defineJob({
  name: 'send-batch',
  queue: 'dispatch',
  schema: z.strictObject({
    batchId: z.int().positive(),
    epoch: z.int().nonnegative(),
    waveId: z.int().positive(),
    band: z.int().nonnegative(),
  }),
});

/** Queues the next batches of every unsettled wave. */
export const feed = defineJob({ name: 'feed', queue: 'feed', schema: z.strictObject({}) });

/** Takes an alert's public copies back from a content delivery network. */
export const purgeCopies = defineJob({
  name: 'purge-copies',
  queue: 'purge',
  schema: z.strictObject({ slug: z.string() }),
  // 17 minutes in all; by then every copy has been too old for long.
  retry: { attempts: 11, firstDelayMs: 1_000 },
});

export const DISPATCH_JOBS = { sendBatch, feed, purgeCopies };
