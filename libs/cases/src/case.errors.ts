import { Refusal } from '#platform';

/** Every expected 'no' of this lib. */
export type CaseRefusal =
  | 'case_incomplete'
  | 'case_not_editable'
  | 'case_not_found'
  | 'case_transition_illegal'
  | 'last_seen_in_future'
  | 'last_seen_interval_inverted'
  | 'outside_jurisdiction'
  | 'photo_not_found'
  | 'too_many_photos';

/** For a case that is not there and, word for word, for one of another agency. */
export function caseNotFound(): Refusal<CaseRefusal> {
  return new Refusal('case_not_found', 'There is no such case in your agency.');
}
