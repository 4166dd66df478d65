import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Quota } from './quota.ts';

describe('Quota', () => {
  it('admits at most its rate over any time, and a burst of one second', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 60_000 }), gaps, (perMinute, waits) => {
        const quota = new Quota(perMinute, 0);
        let now = 0;
        let admitted = 0;
        for (const wait of waits) {
          now += wait;
          if (quota.take(now)) admitted++;
        }
        expect(admitted).toBeLessThanOrEqual((perMinute / 60_000) * now + Math.max(1, perMinute / 60) + 1e-6);
      }),
    );
  });

  it('lets a sender through who keeps to the rate', () => {
    const quota = new Quota(600, 0);
    for (let i = 0; i < 1000; i++) expect(quota.take(i * 100)).toBe(true);
  });

  it('is full at first, holds no more than a second, and starts full when a limit is set', () => {
    const quota = new Quota(600, 0);
    const admitted = (now: number) => Array.from({ length: 50 }, () => quota.take(now)).filter(Boolean).length;
    expect([admitted(0), admitted(500), admitted(60_000)]).toEqual([10, 5, 10]);
    quota.change(0, 60_000);
    expect(admitted(60_000)).toBe(50);
    quota.change(1200, 60_000);
    expect(admitted(60_000)).toBe(20);
    quota.change(60, 60_000);
    expect(admitted(61_000)).toBe(1);
  });
});
