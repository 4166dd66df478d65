import { Refusal } from '#platform';

/** Every expected 'no' of this lib. */
export type DispatchRefusal =
  | 'alert_ended'
  | 'alert_live'
  | 'alert_missing'
  | 'alert_not_found'
  | 'alert_not_held'
  | 'alert_stopped'
  | 'alert_transition_illegal'
  | 'ask_decided'
  | 'ask_not_found'
  | 'change_decided'
  | 'change_not_found'
  | 'change_not_previewable'
  | 'ending_untrue'
  | 'family_not_told'
  | 'ladder_asks_nobody'
  | 'ladder_not_growing'
  | 'ladder_too_late'
  | 'publicity_endangers'
  | 'ring_not_wider'
  | 'too_many_previews'
  | 'version_changed';

/** For an alert that is not there and, word for word, for one of another agency. */
export function alertNotFound(): Refusal<DispatchRefusal> {
  return new Refusal('alert_not_found', 'There is no such alert.');
}
