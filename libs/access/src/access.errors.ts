/** Every expected 'no' of this lib. */
export type AccessRefusal =
  | 'agency_key_invalid'
  | 'agency_key_not_found'
  | 'agency_name_taken'
  | 'agency_not_found'
  | 'call_number_invalid'
  | 'forbidden'
  | 'jurisdiction_invalid'
  | 'login_taken'
  | 'officer_not_found'
  | 'password_unsuitable'
  | 'roles_conflict'
  | 'session_invalid'
  | 'sign_in_failed'
  | 'too_many_attempts'
  | 'verifier_is_author'
  | 'zone_unknown';
