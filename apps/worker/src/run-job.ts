import { type Job, UnrecoverableError } from 'bullmq';
import type { JobDefinition, JobHandlers } from '#platform';

/** Hands a job to its handler with its data checked. A job nobody knows, or with malformed data, is never tried again. */
export async function runJob<Catalogue extends Record<string, JobDefinition>>(
  catalogue: Catalogue,
  handlers: JobHandlers<Catalogue>,
  job: Job,
): Promise<void> {
  const key = Object.keys(catalogue).find((known) => catalogue[known]?.name === job.name) as
    keyof Catalogue | undefined;
  if (key === undefined) throw new UnrecoverableError(`no such job: ${job.name}`);
  const data = (catalogue[key] as JobDefinition).schema.safeParse(job.data);
  if (!data.success) throw new UnrecoverableError(`malformed data of job ${job.name}`);
  await handlers[key](data.data as never);
}
