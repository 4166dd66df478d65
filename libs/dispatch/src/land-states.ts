import type { NeighbourPolicy } from '#access';

/**
 * What becomes of a neighbour's land in an alert's area: `accepted` and `never` by that agency's policy; `asked`, until a
 * verifier of theirs has `agreed` or `refused`. A refusal may be taken back; what was agreed has been sent.
 */
export const LAND_STATES = ['accepted', 'asked', 'agreed', 'refused', 'never'] as const;
export type LandState = (typeof LAND_STATES)[number];

export type LandAct = 'agree' | 'refuse';

const TRANSITIONS: Record<LandState, Partial<Record<LandAct, LandState>>> = {
  accepted: {},
  asked: { agree: 'agreed', refuse: 'refused' },
  agreed: {},
  refused: { agree: 'agreed' },
  never: {},
};

const BY_POLICY: Record<NeighbourPolicy, LandState> = { accept: 'accepted', ask: 'asked', never: 'never' };

/** How land that an area meets for the first time stands. */
export function metState(policy: NeighbourPolicy): LandState {
  return BY_POLICY[policy];
}

/** @returns the state that `act` leads to, or null where it is not allowed. */
export function nextLandState(state: LandState, act: LandAct): LandState | null {
  return TRANSITIONS[state][act] ?? null;
}
