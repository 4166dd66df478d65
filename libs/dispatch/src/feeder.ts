import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { Coalesced, QueueAdds } from '#platform';
import { BatchRepository, type ReadyBatch } from './batch.repository.ts';
import { sendBatch } from './dispatch.jobs.ts';
import { WaveRepository } from './wave.repository.ts';

/** Batches of one alert's asking, or of its telling, in the queue at a time: enough to keep every worker busy, few enough that nothing waits long behind. */
const PER_FLOW = 24;
/** Batches due this soon are queued with a delay, so that a retry does not wait for the next sweep. */
const SOON_MS = 6_000;

/**
 * Keeps a few dozen batches of every alert's unsettled waves in the queue. It has no memory: what to queue is read from the
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
    private readonly queues: QueueAdds,
  ) {}

  /** Feeds; calls while one feeds are merged into one more round. */
  feed(): Promise<void> {
    return this.feeding.run();
  }

  private async round(): Promise<void> {
    const ready = await this.batches.ready(PER_FLOW, SOON_MS);
    await this.queues.add(sendBatch.queue, inTurns(ready).map(toJob));
    const settled = await this.dataSource.transaction((tx) => this.waves.settle(tx));
    for (const waveId of settled) this.logger.log({ waveId }, 'wave settled');
  }
}

/** A batch and its place among its flow's next ones. */
interface Turn extends ReadyBatch {
  readonly turn: number;
}

/**
 * Round robin over the flows. A flow's first batches come before another's twentieth, so that a small alert never waits
 * behind a big one, and an ending begins at once.
 */
export function inTurns(ready: readonly ReadyBatch[]): Turn[] {
  const flows = [...Map.groupBy(ready, (batch) => batch.flow).values()];
  return flows.flatMap((batches) => batches.map((batch, turn) => ({ ...batch, turn }))).sort((a, b) => a.turn - b.turn);
}

function toJob({ batchId, epoch, turn, delayMs }: Turn) {
  return {
    name: sendBatch.name,
    data: { batchId, epoch },
    opts: { jobId: `b-${batchId}-${epoch}`, priority: 1 + turn, delay: delayMs },
  };
}
