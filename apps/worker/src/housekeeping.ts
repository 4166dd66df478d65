import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Devices } from '#audience';
import { Idempotency } from '#platform';
import { Ticker } from './ticker.ts';

const HOUR_MS = 3_600_000;

/** Forgets what has been kept long enough. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly ticker: Ticker;

  constructor(devices: Devices, idempotency: Idempotency) {
    this.ticker = new Ticker(HOUR_MS, {
      places: () => devices.forgetStalePlaces(),
      idempotency: () => idempotency.forgetOld(),
    });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }
}
