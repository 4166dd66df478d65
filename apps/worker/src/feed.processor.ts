import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, Feeder } from '#dispatch';
import { QueueProcessor } from './queue-processor.ts';
import { runJob } from './run-job.ts';

const { feed } = DISPATCH_JOBS;

/** Feeds as soon as a release or an ending has committed. */
@Processor(feed.queue)
export class FeedProcessor extends QueueProcessor {
  constructor(private readonly feeder: Feeder) {
    super();
  }

  process(job: Job): Promise<void> {
    return runJob({ feed }, { feed: () => this.feeder.feed() }, job);
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id }, 'feeding failed; the next sweep feeds again');
  }
}
