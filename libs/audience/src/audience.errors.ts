/** Every expected 'no' of this lib. */
export const AUDIENCE_REFUSALS = ['area_invalid', 'too_many_registrations', 'zone_invalid'] as const;

export type AudienceRefusal = (typeof AUDIENCE_REFUSALS)[number];
