import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BatchSender, Ending, Feeder, Gaps, Ladders, Restoration } from '#dispatch';
import { Metrics, Outbox } from '#platform';
import { Rounds } from './rounds.ts';
import type { Ticker } from './ticker.ts';

/** An emptied queue delays nobody for much longer than this. */
const SWEEP_MS = 5_000;

/** Nor does a dead worker, once its leases have run out: to look for such is one look into a small index. */
const LEASES_MS = 1_000;

/**
 * Rebuilds from the database whatever Redis or a dead worker has lost, ends what has expired, holds what was silent for too long, and
 * climbs the ladders. It runs by a timer of this process and not by a job, for a schedule kept in Redis would be lost with it. Every
 * worker sweeps; sweeps do not conflict.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Sweeper.name);
  private readonly sweep: Ticker;
  private readonly leases: Ticker;
  private readonly reclaimed;

  constructor(
    private readonly sender: BatchSender,
    ending: Ending,
    private readonly feeder: Feeder,
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
    this.sweep = rounds.of('sweep', SWEEP_MS, {
      // First of all: in a restored database the alerts are held before anything else is done with them.
      restored: () => restoration.check(),
      outbox: () => outbox.flush(),
      expiry: () => ending.expireOverdue(),
      gaps: () => gaps.hold(),
      ladders: () => ladders.climb(),
      feed: () => feeder.feed(),
    });
    this.leases = rounds.of('leases', LEASES_MS, { leases: () => this.reclaim() });
  }

  /** Whether no sweep has ended for so long that what others lose would stay lost. */
  get late(): boolean {
    return this.sweep.late;
  }

  onApplicationBootstrap(): void {
    this.sweep.start();
    this.leases.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.sweep.stop(), this.leases.stop()]);
  }

  private async reclaim(): Promise<void> {
    const reclaimed = await this.sender.reclaim();
    if (reclaimed === 0) return;
    this.reclaimed.inc(reclaimed);
    this.logger.warn({ reclaimed }, 'leases had run out');
    await this.feeder.feed();
  }
}
