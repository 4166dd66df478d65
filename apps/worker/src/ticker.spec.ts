import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Metrics } from '#platform';
import { Rounds } from './rounds.ts';
import type { Steps, Ticker } from './ticker.ts';

/** Milliseconds between rounds. */
const EVERY = 5;

describe('rounds', () => {
  let ticker: Ticker;
  Logger.overrideLogger(false);

  afterEach(() => ticker.stop());

  const begin = (steps: Steps) => {
    const metrics = new Metrics();
    ticker = new Rounds(metrics).of('work', EVERY, steps);
    ticker.start();
    return metrics;
  };

  it('go on whatever fails, and each failure is counted by its step', async () => {
    const { promise: thrice, resolve } = Promise.withResolvers<void>();
    let rounds = 0;
    const metrics = begin({
      broken: () => Promise.reject(new Error('broken')),
      whole: async () => {
        if (++rounds === 3) resolve();
      },
    });
    await thrice;
    await ticker.stop();
    const text = await metrics.registry.metrics();
    expect(text).toContain(`golden72_steps_failed_total{work="work",step="broken"} ${rounds}`);
    expect(text).toContain('golden72_steps_failed_total{work="work",step="whole"} 0');
    expect(text).toContain(`golden72_round_seconds_count{work="work"} ${rounds}`);
  });

  it('are late when none has ended for three periods, until one does', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: again, resolve: toldAgain } = Promise.withResolvers<void>();
    let rounds = 0;
    begin({
      stuck: () => {
        if (++rounds === 2) toldAgain();
        return rounds === 1 ? held : Promise.resolve();
      },
    });
    expect(ticker.late).toBe(false);
    while (!ticker.late) await new Promise((resolve) => setImmediate(resolve));
    letGo();
    await again;
    expect(ticker.sinceMs).toBeLessThan(1_000);
  });
});
