import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { Coalesced, type JobData, QueueAdds } from '#platform';
import { BatchRepository } from './batch.repository.ts';
import type { ReadyBatch } from './batch.types.ts';
import { sendBatch } from './dispatch.jobs.ts';
import { WaveRepository } from './wave.repository.ts';

/** Batches of one alert's asking, or of its telling, in the queue at a time: enough to keep every worker busy, few enough that nothing waits long behind. */
const PER_FLOW = 24;
/** Batches due this soon are queued with a delay, so that a retry does not wait for the next sweep. */
const SOON_MS = 6_000;
/** So many batches sent by this worker, or so long after one, it looks what is next: well before the queue is empty. */
const SENT_BEFORE_ROUND = 6;
const ROUND_AFTER_MS = 100;
/** An ending goes out four times as fast as another alert beside it: it spares people a search. */
export const ENDING_WEIGHT = 4;
/** BullMQ's own bound. */
const LAST_RANK = 2_000_000;

/**
 * Keeps a few dozen batches of every alert's unsettled waves in the queue. What to queue is read from the ledger, and a batch that
 * is queued already is not queued again (its job's id is its own), so that any worker may feed at any time and an
 * emptied Redis is filled again.
 */
@Injectable()
export class Feeder implements OnApplicationShutdown {
  private readonly logger = new Logger(Feeder.name);
  private readonly feeding = new Coalesced(() => this.round());
  /** Jobs that this worker's last rounds have queued and it has not done since: asking Redis about them again would cost most of a round. */
  private readonly queued = new Set<string>();
  private sentSince = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly batches: BatchRepository,
    private readonly waves: WaveRepository,
    private readonly queues: QueueAdds,
  ) {}

  /** Feeds, whatever was queued before; calls while one feeds are merged into one more round. */
  feed(): Promise<void> {
    this.queued.clear();
    return this.feeding.run();
  }

  /** This worker is done with a job, which may have come too early: it feeds soon, and does not wait for it. */
  done(job: JobData<typeof sendBatch>): void {
    this.queued.delete(jobIdOf(job));
    if (++this.sentSince >= SENT_BEFORE_ROUND) this.feedBeside();
    else this.timer ??= setTimeout(() => this.feedBeside(), ROUND_AFTER_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.feeding.idle();
  }

  private feedBeside(): void {
    this.sentSince = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.feeding.run().catch((error: unknown) => {
      this.logger.error({ err: error }, 'feeding failed; the next sweep feeds again');
    });
  }

  private async round(): Promise<void> {
    const ready = await this.batches.ready(PER_FLOW, SOON_MS);
    const missing = ready.filter((batch) => !this.queued.has(jobIdOf(batch)));
    await this.queues.add(sendBatch.queue, missing.map(toJob));
    for (const batch of missing) this.queued.add(jobIdOf(batch));
    const settled = await this.dataSource.transaction((tx) => this.waves.settle(tx));
    for (const waveId of settled) this.logger.log({ waveId }, 'wave settled');
  }
}

/**
 * A batch's place among those of all waves, lowest first: the wave that has been served least goes first (an ending
 * counts a quarter), so that a small alert never waits behind a big one, and the nearest phones of every alert come before
 * farther ones of any. It never changes, so that the order within a wave is that of its batches, whenever they are queued.
 */
export function rankOf({ seq, ends }: Pick<ReadyBatch, 'seq' | 'ends'>): number {
  return Math.min(LAST_RANK, ends ? Math.ceil(seq / ENDING_WEIGHT) : seq);
}

const jobIdOf = ({ batchId, epoch }: Pick<ReadyBatch, 'batchId' | 'epoch'>) => `b-${batchId}-${epoch}`;

function toJob(batch: ReadyBatch) {
  const { batchId, epoch, waveId, band, delayMs } = batch;
  return {
    name: sendBatch.name,
    data: { batchId, epoch, waveId, band },
    opts: { jobId: jobIdOf(batch), priority: rankOf(batch), delay: delayMs },
  };
}
