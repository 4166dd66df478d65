/** The triage of a tip. `confirmed` is terminal; what was dismissed by mistake can be taken up again. */
export const SIGHTING_STATES = ['new', 'following', 'confirmed', 'dismissed'] as const;
export type SightingState = (typeof SIGHTING_STATES)[number];

export const INITIAL_SIGHTING_STATE: SightingState = 'new';

const TRANSITIONS: Record<SightingState, readonly SightingState[]> = {
  new: ['following', 'confirmed', 'dismissed'],
  following: ['confirmed', 'dismissed'],
  confirmed: [],
  dismissed: ['following'],
};

/** Why a tip is not followed. */
export const DISMISSALS = ['hoax', 'mistaken', 'duplicate'] as const;
export type Dismissal = (typeof DISMISSALS)[number];

export function canBecome(from: SightingState, to: SightingState): boolean {
  return TRANSITIONS[from].includes(to);
}
