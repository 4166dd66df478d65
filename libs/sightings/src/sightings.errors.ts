/** Every expected 'no' of this lib. */
export const SIGHTING_REFUSALS = [
  'observed_in_future',
  'sighting_not_found',
  'sighting_transition_refused',
  'too_many_sightings',
] as const;

export type SightingRefusal = (typeof SIGHTING_REFUSALS)[number];
