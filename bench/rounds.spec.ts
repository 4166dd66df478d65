import { describe, expect, it } from '@jest/globals';
import { alternate, quantile, ratioOf, sampleOf } from './rounds.ts';

const stop = new AbortController().signal;

describe('alternate', () => {
  it('runs everyone once a round, each round beginning with another', async () => {
    const order: string[] = [];
    const noting = (name: string) => async (round: number) => {
      order.push(`${name}${round}`);
      return round;
    };
    const found = await alternate({ a: noting('a'), b: noting('b') }, { rounds: 3, stop });
    expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
    expect(found.a).toEqual({ median: 1, lowest: 0, highest: 2, all: [0, 1, 2] });
  });

  it('does not count rounds that warm up', async () => {
    const { a } = await alternate({ a: async (round) => round }, { rounds: 2, warmUp: 2, stop });
    expect(a.all).toEqual([0, 1]);
  });

  it('ends between two contenders when it is to stop', async () => {
    const stopping = new AbortController();
    const measuring = alternate({ a: async () => (stopping.abort(), 1) }, { rounds: 2, stop: stopping.signal });
    await expect(measuring).rejects.toThrow();
  });
});

describe('ratioOf', () => {
  it('compares what ran in the same round, however the machine changed between rounds', () => {
    expect(ratioOf(sampleOf([10, 40, 20]), sampleOf([20, 80, 40]))).toBe(0.5);
    expect(ratioOf(sampleOf([10, 40, 25]), sampleOf([20, 100, 40]))).toBe(0.5);
  });
});

describe('quantile', () => {
  it('is the middle, or the mean of both', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  });

  it('is the nearest rank elsewhere', () => {
    const twenty = Array.from({ length: 20 }, (_, i) => 20 - i);
    expect(quantile(twenty, 0.95)).toBe(19);
    expect(quantile(twenty, 1)).toBe(20);
    expect(quantile(twenty, 0)).toBe(1);
  });

  it('refuses to tell of nothing', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

it('a sample holds its lowest and highest', () => {
  expect(sampleOf([5, 9, 7])).toMatchObject({ median: 7, lowest: 5, highest: 9 });
});
