import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from './deadlines.ts';

describe('Deadlines', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('tells of each that was not done with in time, once', () => {
    const overdue: string[] = [];
    const deadlines = new Deadlines<string>(1000, (thing) => overdue.push(thing));
    deadlines.add('a');
    jest.advanceTimersByTime(400);
    deadlines.add('b');
    deadlines.add('c');
    deadlines.delete('b');
    jest.advanceTimersByTime(600);
    expect(overdue).toEqual(['a']);
    jest.advanceTimersByTime(399);
    expect(overdue).toEqual(['a']);
    jest.advanceTimersByTime(1);
    expect(overdue).toEqual(['a', 'c']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets what was done while the process stood still be read first', () => {
    const overdue: string[] = [];
    const deadlines = new Deadlines<string>(1000, (thing) => overdue.push(thing));
    deadlines.add('done');
    deadlines.add('not done');
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
    jest.advanceTimersByTime(1000);
    expect(overdue).toEqual([]);
    deadlines.delete('done');
    clock.mockRestore();
    jest.advanceTimersByTime(1000);
    expect(overdue).toEqual(['not done']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives them out in the order they came', () => {
    const deadlines = new Deadlines<string>(1000, () => {});
    for (const thing of ['a', 'b', 'c']) deadlines.add(thing);
    deadlines.delete('b');
    expect([deadlines.size, deadlines.shift(), deadlines.shift(), deadlines.shift()]).toEqual([2, 'a', 'c', undefined]);
    deadlines.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
