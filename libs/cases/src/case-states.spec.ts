import { describe, expect, it } from '@jest/globals';
import { CASE_STATES, type CaseAct, type CaseState, nextCaseState } from './case-states.ts';

const ACTS: CaseAct[] = ['submit', 'return', 'reject', 'verify', 'close'];
const ENDS: CaseState[] = ['rejected', 'closed'];

const reachable = (from: CaseState, seen = new Set<CaseState>([from])): Set<CaseState> => {
  for (const act of ACTS) {
    const next = nextCaseState(from, act);
    if (next && !seen.has(next)) reachable(next, seen.add(next));
  }
  return seen;
};

describe('the life of a case', () => {
  it('reaches every state from draft', () => {
    expect([...reachable('draft')].sort()).toEqual([...CASE_STATES].sort());
  });

  it('can be left to an end from every state but the ends', () => {
    for (const state of CASE_STATES) {
      expect(ENDS.some((end) => reachable(state).has(end))).toBe(true);
      expect(reachable(state).size === 1).toBe(ENDS.includes(state));
    }
  });

  it('goes live only from submitted', () => {
    expect(CASE_STATES.filter((state) => nextCaseState(state, 'verify') !== null)).toEqual(['submitted']);
  });
});
