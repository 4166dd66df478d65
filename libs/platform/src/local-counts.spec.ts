import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LocalCounts } from './local-counts.ts';

describe('counts of one process', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 0 }));
  afterEach(() => void jest.useRealTimers());

  it('count each key for itself, and begin anew with each window', () => {
    const counts = new LocalCounts(1_000);
    expect([counts.add('a'), counts.add('a'), counts.add('b')]).toEqual([1, 2, 1]);
    jest.advanceTimersByTime(1_000);
    expect(counts.add('a')).toBe(1);
  });

  it('keep a block over the end of a window, and no longer than it lasts', () => {
    const counts = new LocalCounts(1_000);
    counts.block('a', 1_500);
    expect([counts.blockedFor('a'), counts.blockedFor('b')]).toEqual([1_500, 0]);
    jest.advanceTimersByTime(1_200);
    expect(counts.blockedFor('a')).toBe(300);
    jest.advanceTimersByTime(300);
    expect(counts.blockedFor('a')).toBe(0);
  });
});
