import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, Feeder } from '#dispatch';
import { closeSoon } from './close-soon.ts';
import { runJob } from './run-job.ts';

const { feed } = DISPATCH_JOBS;

/** Feeds as soon as a release or an ending has committed. */
@Processor(feed.queue)
export class FeedProcessor extends WorkerHost implements BeforeApplicationShutdown {
  private readonly logger = new Logger(FeedProcessor.name);

  constructor(private readonly feeder: Feeder) {
    super();
  }

  beforeApplicationShutdown(): Promise<void> {
    return closeSoon(this.worker);
  }

  process(job: Job): Promise<void> {
    return runJob({ feed }, { feed: () => this.feeder.feed() }, job);
  }

  @OnWorkerEvent('error')
  troubled(error: Error): void {
    this.logger.warn({ err: error }, 'the queue does not answer');
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id }, 'feeding failed; the next sweep feeds again');
  }
}
