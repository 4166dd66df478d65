import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AuditAnchors } from './audit-anchors.ts';
import { Retention } from './retention.ts';
import { Rounds } from './rounds.ts';
import type { Ticker } from './ticker.ts';

const HOUR_MS = 3_600_000;

/** Forgets what has been kept long enough, and tells how the audit stands. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly ticker: Ticker;

  constructor(retention: Retention, anchors: AuditAnchors, rounds: Rounds) {
    this.ticker = rounds.of('housekeeping', HOUR_MS, { ...retention.steps, anchors: () => anchors.tell() });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }
}
