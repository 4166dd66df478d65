import type { z } from 'zod';

/**
 * A kind of work as data. Libs export their jobs in `*.jobs.ts`; the worker's processors are checked against the
 * catalogue, so that a job without a handler does not compile.
 */
export interface JobDefinition<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly queue: string;
  readonly schema: Schema;
  /** Tries of a job that throws, each after twice the delay of the one before; else one, for what a sweep makes good. */
  readonly retry?: { readonly attempts: number; readonly firstDelayMs: number };
}

/**
 * Jobs leave Redis when done, failed ones too: a retained job makes a re-add under its id a silent no-op, and the
 * database is what remembers.
 */
export const LEAVE_REDIS = { removeOnComplete: true, removeOnFail: true };

/** BullMQ's options of a job's queue, for `BullModule.registerQueue`. */
export function queueOf({ queue: name, retry }: JobDefinition) {
  const tries = retry && { attempts: retry.attempts, backoff: { type: 'exponential', delay: retry.firstDelayMs } };
  return { name, defaultJobOptions: { ...LEAVE_REDIS, ...tries } };
}

export type JobData<Job extends JobDefinition> = z.infer<Job['schema']>;

/** One handler per job of a catalogue. */
export type JobHandlers<Catalogue extends Record<string, JobDefinition>> = {
  readonly [Key in keyof Catalogue]: (data: JobData<Catalogue[Key]>) => Promise<void>;
};

export function defineJob<Name extends string, Schema extends z.ZodType>(
  job: JobDefinition<Name, Schema>,
): JobDefinition<Name, Schema> {
  return job;
}
