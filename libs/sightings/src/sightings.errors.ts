/** Every expected 'no' of this lib. */
export type SightingRefusal =
  'observed_in_future' | 'sighting_not_found' | 'sighting_transition_refused' | 'too_many_sightings';
