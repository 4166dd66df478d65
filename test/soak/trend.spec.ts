import { describe, expect, it } from '@jest/globals';
import { isFlat, type Reading, risenWithin, trendOf } from './trend.ts';

const MINUTES = 60;
const ALLOWANCE = { share: 0.05, units: 1 };

/** A reading each minute of an hour. */
const hour = (value: (minute: number) => number): Reading[] =>
  Array.from({ length: MINUTES }, (_, minute) => ({ at: minute * 60_000, value: value(minute) }));

/** Between 100 and 150, collected every seven minutes. */
const saw = (minute: number) => 100 + ((minute % 7) / 6) * 50;

const flat = (readings: readonly Reading[], share?: number) => {
  const trend = trendOf(readings, share);
  if (!trend) throw new Error('too few readings');
  return isFlat(trend, ALLOWANCE);
};

describe('the trend of a soak', () => {
  it('is flat for what stays, for a saw, and for what only fills up at first', () => {
    expect(flat(hour(() => 100))).toBe(true);
    expect(flat(hour(saw))).toBe(true);
    expect(flat(hour((minute) => Math.min(100, 20 + minute * 5)))).toBe(true);
  });

  it('is not misled by peaks in the last third, where a mean would be', () => {
    const peaks = hour((minute) => (minute > 45 && minute % 4 === 0 ? 1_000 : 100));
    expect(flat(peaks)).toBe(true);
  });

  it('sees a slow leak, also beneath a saw', () => {
    expect(flat(hour((minute) => 100 + minute * 0.5))).toBe(false);
    expect(flat(hour((minute) => saw(minute) + minute * 0.5))).toBe(false);
    expect(
      flat(
        hour((minute) => saw(minute) + minute * 0.5),
        0.1,
      ),
    ).toBe(false);
  });

  it('calls what shrinks flat', () => {
    expect(flat(hour((minute) => 200 - minute))).toBe(true);
  });

  it('tells the two thirds and their difference', () => {
    const trend = trendOf(hour((minute) => (minute < 20 ? 5 : minute < 40 ? 10 : 30)));
    expect(trend).toEqual({ middle: 10, last: 30, grown: 20 });
  });

  it('goes by time and not by the number of readings', () => {
    const crowded = hour(() => 10).concat(Array.from({ length: 500 }, (_, n) => ({ at: 59 * 60_000 + n, value: 20 })));
    expect(trendOf(crowded)).toEqual({ middle: 10, last: 20, grown: 10 });
  });

  it('says nothing of a few readings, or none', () => {
    expect(trendOf([])).toBeNull();
    expect(trendOf(hour((minute) => minute).slice(0, 12))).toBeNull();
  });

  it('allows whole units to what is small', () => {
    const trend = { middle: 4, last: 5, grown: 1 };
    expect(isFlat(trend, { share: 0.05, units: 1 })).toBe(true);
    expect(isFlat(trend, { share: 0.05, units: 0 })).toBe(false);
  });
});

describe('what a count has risen by within a time', () => {
  it('is that of its busiest time, wherever it falls', () => {
    const burst = hour((minute) => (minute < 40 ? minute : 1_000 + minute));
    expect(risenWithin(burst, 120_000)).toBe(1_002);
    expect(
      risenWithin(
        hour((minute) => minute * 3),
        120_000,
      ),
    ).toBe(6);
  });

  it('is nothing without readings, or for what stays', () => {
    expect(risenWithin([], 120_000)).toBe(0);
    expect(
      risenWithin(
        hour(() => 7),
        120_000,
      ),
    ).toBe(0);
  });
});
