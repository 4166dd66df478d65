import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, PublicCopies } from '#dispatch';
import { JobMetrics } from './jobs.metrics.ts';
import { isGivenUp, QueueProcessor } from './queue-processor.ts';
import { runJob } from './run-job.ts';

const { purgeCopies } = DISPATCH_JOBS;

/** Takes public copies back from a content delivery network, again until it agrees. */
@Processor(purgeCopies.queue)
export class PurgeProcessor extends QueueProcessor {
  constructor(
    private readonly copies: PublicCopies,
    metrics: JobMetrics,
  ) {
    super(metrics);
  }

  protected work(job: Job): Promise<void> {
    return runJob({ purgeCopies }, { purgeCopies: ({ slug }) => this.copies.purgeNow(slug) }, job);
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    const { id: jobId, name, attemptsMade: tries } = job ?? {};
    this.logger.error({ err: error, jobId, attempt: tries }, 'public copies could not be purged');
    if (!isGivenUp(job, error)) return;
    // Redis keeps nothing of it: the log does.
    this.logger.error({ jobId, job: name, tries, reason: error.name }, 'a job is given up');
  }
}
