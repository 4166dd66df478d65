import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AuditAnchors } from './audit-anchors.ts';
import { Retention } from './retention.ts';
import { Ticker } from './ticker.ts';

const HOUR_MS = 3_600_000;

/** Forgets what has been kept long enough, and tells how the audit stands. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly ticker: Ticker;

  constructor(retention: Retention, anchors: AuditAnchors) {
    this.ticker = new Ticker(HOUR_MS, { ...retention.steps, anchors: () => anchors.tell() });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }
}
