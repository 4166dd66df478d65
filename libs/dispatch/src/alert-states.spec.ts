import { describe, expect, it } from '@jest/globals';
import { ALERT_STATES, type AlertAct, type AlertState, nextAlertState } from './alert-states.ts';

const ACTS: AlertAct[] = ['withdraw', 'release', 'end'];
const ENDS: AlertState[] = ['withdrawn', 'ended'];

const after = (state: AlertState) => ACTS.flatMap((act) => nextAlertState(state, act) ?? []);

describe('the life of an alert', () => {
  it('reaches every state from proposed', () => {
    const reached = new Set<AlertState>(['proposed']);
    for (const state of reached) for (const next of after(state)) reached.add(next);
    expect([...reached].sort()).toEqual([...ALERT_STATES].sort());
  });

  it('leaves every state but the ends', () => {
    expect(ALERT_STATES.filter((state) => after(state).length === 0)).toEqual(ENDS);
  });
});
