import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { DISPATCH_JOBS, Feeder } from '#dispatch';
import { Span } from '#platform';
import { JobMetrics } from './jobs.metrics.ts';
import { QueueProcessor } from './queue-processor.ts';
import { runJob } from './run-job.ts';

const { feed } = DISPATCH_JOBS;

/** Feeds as soon as a release or an ending has committed. */
@Processor(feed.queue)
export class FeedProcessor extends QueueProcessor {
  constructor(
    private readonly feeder: Feeder,
    metrics: JobMetrics,
  ) {
    super(metrics);
  }

  protected async work(job: Job): Promise<void> {
    const span = Span.under(job.opts.telemetry?.metadata ?? null, 'feed', {});
    try {
      await runJob({ feed }, { feed: () => this.feeder.feed() }, job);
    } finally {
      span?.end();
    }
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id }, 'feeding failed; the next sweep feeds again');
  }
}
