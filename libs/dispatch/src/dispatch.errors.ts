import { Refusal } from '#platform';

/** Every expected 'no' of this lib. */
export type DispatchRefusal =
  | 'alert_ended'
  | 'alert_live'
  | 'alert_missing'
  | 'alert_not_found'
  | 'alert_transition_illegal'
  | 'ending_untrue'
  | 'family_not_told'
  | 'too_many_previews'
  | 'version_changed';

/** For an alert that is not there and, word for word, for one of another agency. */
export function alertNotFound(): Refusal<DispatchRefusal> {
  return new Refusal('alert_not_found', 'There is no such alert.');
}
