import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger } from '@nestjs/common';
import { type Job, UnrecoverableError } from 'bullmq';
import { closeSoon } from './close-soon.ts';

/** What the processor of every queue does: it outlives a queue that is away, and stops soon. */
export abstract class QueueProcessor extends WorkerHost implements BeforeApplicationShutdown {
  protected readonly logger = new Logger(this.constructor.name);
  private readonly underWay = new Set<Promise<void>>();

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

  /** Redis keeps nothing of a job that has used up its tries: the log does. */
  protected tellGivenUp(job: Job | undefined, { name: reason }: Error): void {
    if (!job || (job.attemptsMade < (job.opts.attempts ?? 1) && reason !== UnrecoverableError.name)) return;
    this.logger.error({ jobId: job.id, job: job.name, tries: job.attemptsMade, reason }, 'a job is given up');
  }
}
