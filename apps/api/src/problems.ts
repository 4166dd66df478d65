import type { AccessRefusal } from '#access';
import type { AudienceRefusal } from '#audience';
import type { CaseRefusal } from '#cases';
import type { DispatchRefusal } from '#dispatch';
import type { EngagementRefusal } from '#engagement';
import type { BoundsRefusal, GroupCommitRefusal, IdempotencyRefusal, ImageRefusal } from '#platform';
import type { SightingRefusal } from '#sightings';

/** Refusals that the api itself makes, before any lib is asked. */
export type ApiRefusal =
  | 'body_too_large'
  | 'cross_site_request'
  | 'device_invalid'
  | 'header_too_large'
  | 'internal_error'
  | 'invalid_request'
  | 'malformed_json'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'route_not_found'
  | 'temporarily_unavailable'
  | 'unsupported_media_type'
  | 'uri_too_long';

/** Every code a client can meet. A lib's refusals are added here, and then the table below does not compile without them. */
export type ProblemCode =
  | AccessRefusal
  | ApiRefusal
  | AudienceRefusal
  | BoundsRefusal
  | CaseRefusal
  | DispatchRefusal
  | EngagementRefusal
  | SightingRefusal
  | GroupCommitRefusal
  | IdempotencyRefusal
  | ImageRefusal;

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** The one place where the api turns codes into HTTP. The alert pages answer people: they choose a page, and its status. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  agency_key_invalid: { status: 401, title: 'The agency key is not valid' },
  agency_key_not_found: { status: 404, title: 'No such agency key' },
  agency_name_taken: { status: 409, title: 'The name is taken' },
  agency_not_found: { status: 404, title: 'No such agency' },
  alert_ended: { status: 410, title: 'The alert has ended' },
  alert_live: { status: 409, title: 'The alert is live' },
  alert_missing: { status: 422, title: 'There is no alert' },
  alert_not_found: { status: 404, title: 'No such alert' },
  alert_not_held: { status: 409, title: 'The alert is not held' },
  alert_stopped: { status: 409, title: 'Sending was stopped' },
  alert_transition_illegal: { status: 409, title: 'The alert cannot do this now' },
  area_invalid: { status: 422, title: 'The area is not usable' },
  ask_decided: { status: 409, title: 'The ask is decided' },
  ask_not_found: { status: 404, title: 'No such ask' },
  body_too_large: { status: 413, title: 'The request is too large' },
  call_number_invalid: { status: 422, title: 'The call number is not usable' },
  case_erased: { status: 410, title: 'The case is erased' },
  case_incomplete: { status: 422, title: 'The case is not complete' },
  case_not_editable: { status: 409, title: 'The case can no longer be changed' },
  case_not_found: { status: 404, title: 'No such case' },
  case_transition_illegal: { status: 409, title: 'The case cannot do this now' },
  change_decided: { status: 409, title: 'The change is decided' },
  change_not_found: { status: 404, title: 'No such change' },
  change_not_previewable: { status: 422, title: 'There is nothing to preview' },
  conflict_of_interest: { status: 403, title: 'A conflict of interest bars this' },
  consent_missing: { status: 422, title: 'Nobody has said who consents' },
  cross_site_request: { status: 403, title: 'The request comes from another site' },
  custody_unchecked: { status: 422, title: 'Custody is not checked' },
  device_invalid: { status: 401, title: 'The device is not known' },
  ending_untrue: { status: 422, title: 'The ending would not be true' },
  family_not_told: { status: 422, title: 'The family comes first' },
  forbidden: { status: 403, title: 'Not allowed' },
  grant_not_found: { status: 404, title: 'No such grant' },
  grant_settled: { status: 409, title: 'The grant is settled' },
  header_too_large: { status: 431, title: 'The request’s header is too large' },
  idempotency_key_reused: { status: 409, title: 'The idempotency key belongs to another request' },
  identity_provider_not_found: { status: 404, title: 'No identity provider' },
  identity_provider_unavailable: { status: 503, title: 'The identity provider does not answer' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  invitation_open: { status: 409, title: 'The invitation is open' },
  invitation_invalid: { status: 401, title: 'The invitation is not valid' },
  issuer_invalid: { status: 422, title: 'The issuer is not usable' },
  jurisdiction_invalid: { status: 422, title: 'The jurisdiction is not usable' },
  ladder_asks_nobody: { status: 422, title: 'The alert asks nobody' },
  ladder_not_growing: { status: 422, title: 'The rings do not grow' },
  ladder_too_late: { status: 422, title: 'A ring is too late' },
  last_seen_in_future: { status: 422, title: 'Last seen in the future' },
  last_seen_interval_inverted: { status: 422, title: 'Last seen from after until' },
  login_taken: { status: 409, title: 'The login is taken' },
  malformed_json: { status: 400, title: 'The body is not JSON' },
  method_not_allowed: { status: 405, title: 'The method is not allowed' },
  observed_in_future: { status: 422, title: 'Observed in the future' },
  officer_not_found: { status: 404, title: 'No such officer' },
  outside_jurisdiction: { status: 422, title: 'Outside the jurisdiction' },
  overloaded: { status: 503, title: 'Too many write at once' },
  own_access: { status: 403, title: 'Nobody changes their own access' },
  password_unsuitable: { status: 422, title: 'The password is not usable' },
  password_wrong: { status: 403, title: 'The password is wrong' },
  photo_not_an_image: { status: 422, title: 'The file is not a photo' },
  photo_not_found: { status: 404, title: 'No such photo' },
  photo_too_large: { status: 413, title: 'The photo is too large' },
  photos_busy: { status: 503, title: 'Too many photos at once' },
  publicity_endangers: { status: 422, title: 'Publicity could endanger the child' },
  publicity_unanswered: { status: 422, title: 'Nobody has said whether publicity could endanger the child' },
  reference_invalid: { status: 422, title: 'The reference is not ours' },
  request_timeout: { status: 408, title: 'The request took too long' },
  review_not_found: { status: 404, title: 'No such review' },
  review_settled: { status: 409, title: 'The review is settled' },
  ring_not_wider: { status: 422, title: 'The ring is not wider' },
  roles_conflict: { status: 422, title: 'The roles exclude each other' },
  route_not_found: { status: 404, title: 'No such address' },
  second_factor_code_wrong: { status: 403, title: 'The code is wrong' },
  second_factor_enrolled: { status: 409, title: 'There is a second factor already' },
  second_factor_missing: { status: 403, title: 'A second factor must be set up' },
  second_factor_not_enrolled: { status: 409, title: 'There is no second factor' },
  second_factor_required: { status: 401, title: 'A second factor is required' },
  session_invalid: { status: 401, title: 'Not signed in' },
  session_not_found: { status: 404, title: 'No such session' },
  sighting_not_found: { status: 404, title: 'No such sighting' },
  sighting_transition_refused: { status: 409, title: 'The sighting cannot do this now' },
  sign_in_failed: { status: 401, title: 'Sign-in failed' },
  step_up_required: { status: 403, title: 'Confirm who you are' },
  subject_taken: { status: 409, title: 'The subject is taken' },
  temporarily_unavailable: { status: 503, title: 'Temporarily unavailable' },
  token_unfit: { status: 422, title: 'The token does not belong here' },
  too_many_attempts: { status: 429, title: 'Too many attempts' },
  too_many_forwards: { status: 429, title: 'Sent on too often' },
  too_many_photos: { status: 422, title: 'Too many photos' },
  too_many_previews: { status: 429, title: 'Too many previews' },
  too_many_registrations: { status: 429, title: 'Too many registrations' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  too_many_sightings: { status: 429, title: 'Too many sightings' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  verifier_is_author: { status: 403, title: 'Nobody decides their own work' },
  version_changed: { status: 409, title: 'What you read has changed' },
  zone_unknown: { status: 422, title: 'The time zone is not known' },
};

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}
