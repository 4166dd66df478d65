import { describe, expect, it } from '@jest/globals';
import { canBecome, INITIAL_SIGHTING_STATE, SIGHTING_STATES, type SightingState } from './sighting-states.ts';

const TERMINAL: readonly SightingState[] = ['confirmed'];
const after = (state: SightingState) => SIGHTING_STATES.filter((to) => canBecome(state, to));

describe('the triage of a sighting', () => {
  it('reaches every state from the first', () => {
    const reached = new Set<SightingState>([INITIAL_SIGHTING_STATE]);
    for (const state of reached) after(state).forEach((to) => reached.add(to));
    expect([...reached].sort()).toEqual([...SIGHTING_STATES].sort());
  });

  it.each(SIGHTING_STATES)('leaves %s unless it is terminal', (state) => {
    expect(after(state).length === 0).toBe(TERMINAL.includes(state));
  });

  it('never comes back to new, and never stays where it is', () => {
    for (const state of SIGHTING_STATES) {
      expect(canBecome(state, 'new')).toBe(false);
      expect(canBecome(state, state)).toBe(false);
    }
  });
});
