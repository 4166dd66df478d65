import { Injectable } from '@nestjs/common';
import { Metrics } from '#platform';
import { type Steps, Ticker } from './ticker.ts';

/** What this worker does again and again by timers of its own: how long that takes, what fails, and whether it still happens. */
@Injectable()
export class Rounds {
  private readonly tickers = new Map<string, Ticker>();
  private readonly seconds;
  private readonly failures;

  constructor(metrics: Metrics) {
    metrics.gauge(
      'golden72_round_age_seconds',
      'Time since the worker last ended a round of this work, or since it began to.',
      ['work'],
      () => [...this.tickers].map(([work, { sinceMs }]) => [{ work }, sinceMs / 1000]),
    );
    this.seconds = metrics.histogram(
      'golden72_round_seconds',
      'How long a round of this work took.',
      [0.05, 0.25, 1, 5, 15, 60],
      ['work'],
    );
    this.failures = metrics.counter(
      'golden72_steps_failed_total',
      'Steps of a round that failed; the next round does them again.',
      ['work', 'step'],
    );
  }

  /** Does steps so long after they were done; see {@link Ticker}. */
  of(work: string, everyMs: number, steps: Steps): Ticker {
    for (const step of Object.keys(steps)) this.failures.inc({ work, step }, 0);
    const ticker = new Ticker(everyMs, steps, {
      ended: (ms) => this.seconds.observe({ work }, ms / 1000),
      failed: (step) => this.failures.inc({ work, step }),
    });
    this.tickers.set(work, ticker);
    return ticker;
  }
}
