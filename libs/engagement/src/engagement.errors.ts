/** Every expected 'no' of this lib that is not dispatch's. */
export const ENGAGEMENT_REFUSALS = ['reference_invalid', 'too_many_forwards'] as const;

export type EngagementRefusal = (typeof ENGAGEMENT_REFUSALS)[number];
