import type { z } from 'zod';

/**
 * A kind of work as data. Libs export their jobs in `*.jobs.ts`; the worker's processors are checked against the
 * catalogue, so that a job without a handler does not compile.
 */
export interface JobDefinition<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly queue: string;
  readonly schema: Schema;
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
