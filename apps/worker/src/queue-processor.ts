import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
import { type Job, UnrecoverableError } from 'bullmq';
import { closeSoon } from './close-soon.ts';
import type { JobMetrics } from './jobs.metrics.ts';

/** What the processor of every queue does: it outlives a queue that is away, and stops soon. */
export abstract class QueueProcessor extends WorkerHost implements BeforeApplicationShutdown {
  protected readonly logger = new Logger(this.constructor.name);
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly metrics: JobMetrics) {
    super();
  }

  /** Does a job of this queue. */
  protected abstract work(job: Job): Promise<void>;

  async process(job: Job): Promise<void> {
    const work = this.work(job);
    this.underWay.add(work);
    try {
      await work;
    } finally {
      this.underWay.delete(work);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await closeSoon(this.worker, this.underWay);
  }

  /** Without a listener the event would end the process. */
  @OnWorkerEvent('error')
  troubled(error: Error): void {
    this.logger.warn({ err: error }, 'the queue does not answer');
  }

  @OnWorkerEvent('failed')
  counted(job: Job | undefined, error: Error): void {
    if (isGivenUp(job, error)) this.metrics.givenUp(this.worker.name);
  }
}

/** Whether a job that failed is not tried again. One of which nothing is left has been found without a worker too often. */
export function isGivenUp(job: Job | undefined, { name }: Error): boolean {
  return !job || job.attemptsMade >= (job.opts.attempts ?? 1) || name === UnrecoverableError.name;
}
