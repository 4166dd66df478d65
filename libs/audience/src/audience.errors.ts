/** Every expected 'no' of this lib. */
export const AUDIENCE_REFUSALS = ['area_invalid', 'too_many_registrations', 'token_unfit', 'zone_unknown'] as const;

export type AudienceRefusal = (typeof AUDIENCE_REFUSALS)[number];
