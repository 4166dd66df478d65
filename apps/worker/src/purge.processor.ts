import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, PublicCopies } from '#dispatch';
import { QueueProcessor } from './queue-processor.ts';
import { runJob } from './run-job.ts';

const { purgeCopies } = DISPATCH_JOBS;

/** Takes public copies back from a content delivery network, again until it agrees. */
@Processor(purgeCopies.queue)
export class PurgeProcessor extends QueueProcessor {
  constructor(private readonly copies: PublicCopies) {
    super();
  }

  protected work(job: Job): Promise<void> {
    return runJob({ purgeCopies }, { purgeCopies: ({ slug }) => this.copies.purgeNow(slug) }, job);
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id, attempt: job?.attemptsMade }, 'public copies could not be purged');
    this.tellGivenUp(job, error);
  }
}
