import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, PublicCopies } from '#dispatch';
import { closeSoon } from './close-soon.ts';
import { runJob } from './run-job.ts';

const { purgeCopies } = DISPATCH_JOBS;

/** Takes public copies back from a content delivery network, again until it agrees. */
@Processor(purgeCopies.queue)
export class PurgeProcessor extends WorkerHost implements BeforeApplicationShutdown {
  private readonly logger = new Logger(PurgeProcessor.name);

  constructor(private readonly copies: PublicCopies) {
    super();
  }

  beforeApplicationShutdown(): Promise<void> {
    return closeSoon(this.worker);
  }

  process(job: Job): Promise<void> {
    return runJob({ purgeCopies }, { purgeCopies: ({ slug }) => this.copies.purgeNow(slug) }, job);
  }

  @OnWorkerEvent('error')
  troubled(error: Error): void {
    this.logger.warn({ err: error }, 'the queue does not answer');
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id, attempt: job?.attemptsMade }, 'public copies could not be purged');
  }
}
