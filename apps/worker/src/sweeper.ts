import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BatchRepository, Ending, Feeder } from '#dispatch';
import { Outbox } from '#platform';

/** An emptied queue or a dead worker delays nobody for much longer than this. */
const SWEEP_MS = 5_000;

/**
 * Rebuilds from the database whatever Redis or a dead worker has lost, and ends what has expired. It runs by a timer of this
 * process and not by a job, for a schedule kept in Redis would be lost with it. Every worker sweeps; sweeps do not conflict.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Sweeper.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly batches: BatchRepository,
    private readonly ending: Ending,
    private readonly feeder: Feeder,
    private readonly outbox: Outbox,
  ) {}

  onApplicationBootstrap(): void {
    this.arm(0);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  /** One sweep; a failing step is logged and the next one is tried all the same. */
  async sweep(): Promise<void> {
    await this.step('outbox', () => this.outbox.flush());
    await this.step('expiry', () => this.ending.expireOverdue());
    await this.step('leases', async () => {
      const reclaimed = await this.batches.reclaim();
      if (reclaimed > 0) this.logger.warn({ reclaimed }, 'leases had run out');
    });
    await this.step('feed', () => this.feeder.feed());
  }

  private async step(name: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.error({ err: error, step: name }, 'a step of the sweep failed');
    }
  }

  private arm(delay: number): void {
    this.timer = setTimeout(() => {
      this.sweeping = this.sweep().finally(() => {
        if (!this.stopped) this.arm(SWEEP_MS);
      });
    }, delay);
  }
}
