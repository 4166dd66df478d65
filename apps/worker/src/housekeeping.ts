import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Sessions } from '#access';
import { Devices } from '#audience';
import { Idempotency } from '#platform';
import { Ticker } from './ticker.ts';

const HOUR_MS = 3_600_000;

/** Forgets what has been kept long enough. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly ticker: Ticker;

  constructor(devices: Devices, idempotency: Idempotency, sessions: Sessions) {
    this.ticker = new Ticker(HOUR_MS, {
      places: () => devices.forgetStalePlaces(),
      idempotency: () => idempotency.forgetOld(),
      sessions: () => sessions.forgetEnded(),
    });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }
}
