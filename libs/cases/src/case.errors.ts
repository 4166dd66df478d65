import { Refusal } from '#platform';

/** Every expected 'no' of this lib. */
export type CaseRefusal =
  | 'case_erased'
  | 'case_incomplete'
  | 'case_not_editable'
  | 'case_not_found'
  | 'case_transition_illegal'
  | 'consent_missing'
  | 'custody_unchecked'
  | 'last_seen_in_future'
  | 'last_seen_interval_inverted'
  | 'outside_jurisdiction'
  | 'photo_not_found'
  | 'publicity_unanswered'
  | 'too_many_photos';

/** For a case that is not there and, word for word, for one of another agency. */
export function caseNotFound(): Refusal<CaseRefusal> {
  return new Refusal('case_not_found', 'There is no such case in your agency.');
}

/** For a case whose time is over: its key is destroyed, and nothing can bring it back. */
export function caseErased(): Refusal<CaseRefusal> {
  return new Refusal('case_erased', 'The case was erased when its time to be kept was over. Only its counts are left.');
}
