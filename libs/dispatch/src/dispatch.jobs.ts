import { z } from 'zod';
import { defineJob } from '#platform';

/** Sends one batch: `epoch` is the batch's when it was queued, so that a job overtaken by another does nothing. */
export const sendBatch = defineJob({
  name: 'send-batch',
  queue: 'dispatch',
  schema: z.strictObject({ batchId: z.int().positive(), epoch: z.int().nonnegative() }),
});

/** Queues the next batches of every unsettled wave. */
export const feed = defineJob({ name: 'feed', queue: 'feed', schema: z.strictObject({}) });

export const DISPATCH_JOBS = { sendBatch, feed };
