import { describe, expect, it } from '@jest/globals';
import { Flood } from './flood.ts';

describe('Flood', () => {
  it('lets each network come so often in its window, and tells how long to wait beyond', () => {
    let now = 5;
    const flood = new Flood(2, 1000, () => now);
    expect([flood.add('a'), flood.add('a'), flood.add('b')]).toEqual([0, 0, 0]);
    now = 405;
    expect([flood.add('a'), flood.add('b'), flood.add('b')]).toEqual([600, 0, 600]);
    now = 1005;
    expect(flood.add('a')).toBe(0);
  });

  it('forgets networks whose window is over', () => {
    let now = 0;
    const flood = new Flood(2, 1000, () => now);
    for (let n = 0; n < 500; n++) flood.add(`${n}`);
    now = 1000;
    flood.add('a');
    expect(flood.size).toBe(1);
  });
});
