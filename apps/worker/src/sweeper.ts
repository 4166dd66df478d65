import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BatchSender, Ending, Feeder, Gaps, Ladders, Restoration } from '#dispatch';
import { Metrics, Outbox } from '#platform';
import { Rounds } from './rounds.ts';
import type { Ticker } from './ticker.ts';

/** An emptied queue or a dead worker delays nobody for much longer than this. */
const SWEEP_MS = 5_000;

/**
 * Rebuilds from the database whatever Redis or a dead worker has lost, ends what has expired, holds what was silent for too long, and
 * climbs the ladders. It runs by a timer of this process and not by a job, for a schedule kept in Redis would be lost with it. Every
 * worker sweeps; sweeps do not conflict.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Sweeper.name);
  private readonly ticker: Ticker;
  private readonly reclaimed;

  constructor(
    private readonly sender: BatchSender,
    ending: Ending,
    feeder: Feeder,
    gaps: Gaps,
    ladders: Ladders,
    restoration: Restoration,
    outbox: Outbox,
    rounds: Rounds,
    metrics: Metrics,
  ) {
    this.reclaimed = metrics.counter(
      'golden72_leases_lost_total',
      'Batches that this worker took back from one that had gone silent.',
    );
    this.ticker = rounds.of('sweep', SWEEP_MS, {
      // First of all: in a restored database the alerts are held before anything else is done with them.
      restored: () => restoration.check(),
      outbox: () => outbox.flush(),
      expiry: () => ending.expireOverdue(),
      gaps: () => gaps.hold(),
      ladders: () => ladders.climb(),
      leases: () => this.reclaim(),
      feed: () => feeder.feed(),
    });
  }

  /** Whether no sweep has ended for so long that what others lose would stay lost. */
  get late(): boolean {
    return this.ticker.late;
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }

  private async reclaim(): Promise<void> {
    const reclaimed = await this.sender.reclaim();
    if (reclaimed === 0) return;
    this.reclaimed.inc(reclaimed);
    this.logger.warn({ reclaimed }, 'leases had run out');
  }
}
