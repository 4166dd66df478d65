/** A further ring: everyone within so many metres, so many minutes after the release. */
export interface LadderRing {
  readonly radiusM: number;
  readonly afterMinutes: number;
}

/** The rings of an alert after its first, which is its area and asked at the release. */
export interface Ladder {
  /** ‘Still missing?’: a ring whose time has come is proposed, and asked once an officer approves it. */
  readonly confirm: boolean;
  /** Each wider and later than the one before. */
  readonly rings: readonly LadderRing[];
}

export const MAX_RINGS = 8;
export const MAX_RING_M = 2_000_000;

/** What has become of a ring whose time had come. */
export interface LadderStep extends LadderRing {
  readonly state: 'fired' | 'asked' | 'declined';
  /** When it was fired, proposed or declined. */
  readonly at: Date;
}

/** A ring as officers read it. */
export interface LadderRingStanding extends LadderRing {
  /** `passed`: the area is as wide already. `dropped`: the rest of the ladder was ended, or the alert was. */
  readonly state: LadderStep['state'] | 'planned' | 'passed' | 'dropped';
  /** When it will be fired or proposed unless something is in its way; null when it no longer will, or nobody knows yet. */
  readonly dueAt: Date | null;
  readonly firedAt: Date | null;
}
