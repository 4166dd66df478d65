/** The life of an alert. `withdrawn` and `ended` are its ends: nothing that was over is ever asked again. */
export const ALERT_STATES = ['proposed', 'withdrawn', 'live', 'ended'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export type AlertAct = 'withdraw' | 'release' | 'end';

const TRANSITIONS: Record<AlertState, Partial<Record<AlertAct, AlertState>>> = {
  proposed: { withdraw: 'withdrawn', release: 'live' },
  withdrawn: {},
  live: { end: 'ended' },
  ended: {},
};

/** @returns the state that `act` leads to, or null where it is not allowed. */
export function nextAlertState(state: AlertState, act: AlertAct): AlertState | null {
  return TRANSITIONS[state][act] ?? null;
}
