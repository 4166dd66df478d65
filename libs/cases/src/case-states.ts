/** The life of a case. `rejected` and `closed` are its ends. */
export const CASE_STATES = ['draft', 'submitted', 'returned', 'rejected', 'active', 'closed'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** What moves a case: the liaison submits, a verifier returns, rejects or verifies, and either closes. */
export type CaseAct = 'submit' | 'return' | 'reject' | 'verify' | 'close';

const TRANSITIONS: Record<CaseState, Partial<Record<CaseAct, CaseState>>> = {
  draft: { submit: 'submitted' },
  submitted: { return: 'returned', reject: 'rejected', verify: 'active' },
  returned: { submit: 'submitted' },
  rejected: {},
  active: { close: 'closed' },
  closed: {},
};

/** States in which what was written may still be changed. */
export const EDITABLE_STATES: readonly CaseState[] = ['draft', 'returned'];

/** States in which photos may be added: a live alert may need another one, and putting it up takes a second officer. */
export const PHOTO_STATES: readonly CaseState[] = [...EDITABLE_STATES, 'active'];

/** @returns the state that `act` leads to, or null where it is not allowed. */
export function nextCaseState(state: CaseState, act: CaseAct): CaseState | null {
  return TRANSITIONS[state][act] ?? null;
}
