import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import { Inject, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job } from 'bullmq';
import { BatchSender, DISPATCH_JOBS, Feeder } from '#dispatch';
import { ENV, type Env } from '#platform';
import { JobMetrics } from './jobs.metrics.ts';
import { QueueProcessor } from './queue-processor.ts';
import { runJob } from './run-job.ts';

const { sendBatch } = DISPATCH_JOBS;

/** The ledger's leases guard the batches; BullMQ only has to notice soon that a worker died between fetching and claiming. */
const JOB_LOCK = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 10 };

/** Sends batches. Of one whose work throws the ledger knows what is to come; the job itself is never tried again. */
@Processor(sendBatch.queue, JOB_LOCK)
export class DispatchProcessor extends QueueProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly sender: BatchSender,
    private readonly feeder: Feeder,
    @Inject(ENV) private readonly env: Env,
    metrics: JobMetrics,
  ) {
    super(metrics);
  }

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.env.WORKER_CONCURRENCY;
  }

  /** Batches under way stop at their next chunk and give the rest back; nothing is sent twice. */
  override async beforeApplicationShutdown(): Promise<void> {
    this.sender.drain();
    await super.beforeApplicationShutdown();
  }

  protected work(job: Job): Promise<void> {
    return runJob(
      { sendBatch },
      {
        sendBatch: async (turn) => {
          try {
            await this.sender.send(turn);
          } finally {
            this.feeder.done(turn);
          }
        },
      },
      job,
    );
  }

  @OnWorkerEvent('failed')
  failed(job: Job | undefined, error: Error): void {
    this.logger.error({ err: error, jobId: job?.id }, 'a batch could not be sent');
  }
}
