import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { TopUp } from '#dispatch';
import { Rounds } from './rounds.ts';
import type { Ticker } from './ticker.ts';

/** With what a round takes, who enters is asked within half a minute. */
const TOP_UP_MS = 25_000;

/** Tops up live alerts by a timer of its own: it must keep neither leases nor expiries waiting. */
@Injectable()
export class ToppingUp implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly ticker: Ticker;

  constructor(topUp: TopUp, rounds: Rounds) {
    this.ticker = rounds.of('top_up', TOP_UP_MS, { topUp: () => topUp.run() });
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.ticker.stop();
  }
}
