import { describe, expect, it } from '@jest/globals';
import { NEIGHBOUR_POLICIES } from '#access';
import { LAND_STATES, metState, nextLandState } from './land-states.ts';

describe('the states of a neighbour’s land', () => {
  it('are all reached, from a policy by acts', () => {
    const reached = new Set(NEIGHBOUR_POLICIES.map(metState));
    for (const state of reached) {
      for (const act of ['agree', 'refuse'] as const) {
        const next = nextLandState(state, act);
        if (next) reached.add(next);
      }
    }
    expect([...reached].sort()).toEqual([...LAND_STATES].sort());
  });

  it('open only with the agency’s yes', () => {
    expect(nextLandState('asked', 'agree')).toBe('agreed');
    expect(nextLandState('refused', 'agree')).toBe('agreed');
    expect(nextLandState('never', 'agree')).toBeNull();
    expect(nextLandState('agreed', 'refuse')).toBeNull();
  });
});
