import { describe, expect, it } from '@jest/globals';
import { Frontier } from './frontier.ts';

describe('the frontier', () => {
  it('keeps a wave’s pushes within two bands of the nearest batch in hand', () => {
    const frontier = new Frontier();
    const leaveNear = frontier.enter(1, 3);
    const leaveTwin = frontier.enter(1, 3);
    frontier.enter(1, 9);
    expect([3, 5, 6, 9].map((band) => frontier.admits(1, band))).toEqual([true, true, false, false]);
    leaveNear();
    expect(frontier.admits(1, 6)).toBe(false);
    leaveTwin();
    expect([9, 11, 12].map((band) => frontier.admits(1, band))).toEqual([true, true, false]);
  });

  it('holds no wave back for another, nor for what is finished', () => {
    const frontier = new Frontier();
    frontier.enter(1, 0);
    const leave = frontier.enter(2, 4);
    leave();
    expect(frontier.admits(2, 50)).toBe(true);
  });
});
