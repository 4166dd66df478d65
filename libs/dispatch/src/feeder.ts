import { Injectable, Logger } from '@nestjs/common';
import { InjectQueue } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { DataSource } from 'typeorm';

import { Coalesced } from '#platform';
import { BatchRepository, type ReadyBatch } from './batch.repository.ts';
import { rankOf } from './batch.service.ts';
import { sendBatch } from './dispatch.jobs.ts';
import { WaveRepository } from './wave.repository.ts';

/** Batches of one wave in the queue at a time: enough to keep every worker busy, few enough that nothing waits long behind. */
const PER_WAVE = 24;
/** Batches due this soon are queued with a delay, so that a retry does not wait for the next sweep. */
const SOON_MS = 6_000;

/**
 * Keeps a few dozen batches of every unsettled wave in the queue. It has no memory: what to queue is read from the
 * ledger, and a batch that is queued already is not queued again (its job's id is its own), so that any worker may
 * feed at any time and an emptied Redis is filled again.
 */
@Injectable()
export class Feeder {
  private readonly logger = new Logger(Feeder.name);
  private readonly feeding = new Coalesced(() => this.round());

  constructor(
    private readonly dataSource: DataSource,
    private readonly batches: BatchRepository,
    private readonly waves: WaveRepository,
    @InjectQueue(sendBatch.queue) private readonly queue: Queue,
  ) {}

  /** Feeds; calls while one feeds are merged into one more round. */
  feed(): Promise<void> {
    return this.feeding.run();
  }

  private async round(): Promise<void> {
    const ready = await this.batches.ready(PER_WAVE, SOON_MS);
    if (ready.length > 0) await this.queue.addBulk(interleave(ready).map(toJob));
    const settled = await this.dataSource.transaction((tx) => this.waves.settle(tx));
    for (const waveId of settled) this.logger.log({ waveId }, 'wave settled');
  }
}

/** Round robin over the waves, so that none waits behind another's few dozen. */
export function interleave(ready: readonly ReadyBatch[]): ReadyBatch[] {
  const waves = [...Map.groupBy(ready, (batch) => batch.waveId).values()];
  const longest = Math.max(0, ...waves.map((batches) => batches.length));
  return Array.from({ length: longest }, (_, turn) => waves.flatMap((batches) => batches[turn] ?? [])).flat();
}

function toJob(batch: ReadyBatch) {
  return {
    name: sendBatch.name,
    data: { batchId: batch.batchId, epoch: batch.epoch },
    opts: { jobId: `b-${batch.batchId}-${batch.epoch}`, priority: rankOf(batch), delay: batch.delayMs },
  };
}
