/**
 * Error bodies as Google sends them: google.rpc.Status as JSON, with FCM's own code in a detail of type FcmError
 * (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode).
 */
export interface GoogleError {
  readonly status: number;
  /** The name it is counted under. */
  readonly code: string;
  readonly body: string;
  /** Sends `Retry-After` with it. */
  readonly retryable: boolean;
  /** Sends `WWW-Authenticate` with it. */
  readonly challenge: boolean;
}

export interface FieldViolation {
  readonly field?: string;
  readonly description: string;
}

type Detail = Readonly<Record<string, unknown>>;

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';

function make(http: number, status: string, message: string, details: Detail[], countedAs: string): GoogleError {
  const error = { code: http, message, status, ...(details.length > 0 && { details }) };
  return {
    status: http,
    code: countedAs,
    body: JSON.stringify({ error }),
    retryable: http === 429 || http === 503,
    challenge: http === 401,
  };
}

function fcm(http: number, status: string, message: string, errorCode: string): GoogleError {
  return make(http, status, message, [{ '@type': FCM_ERROR, errorCode }], errorCode);
}

function auth(http: number, status: string, message: string, reason: string): GoogleError {
  const metadata = { service: 'fcm.googleapis.com', method: 'google.firebase.fcm.v1.FcmService.SendMessage' };
  return make(http, status, message, [{ '@type': ERROR_INFO, reason, domain: 'googleapis.com', metadata }], status);
}

/** Answers that say the same to everyone. */
export const ERRORS = {
  unregistered: fcm(404, 'NOT_FOUND', 'Requested entity was not found.', 'UNREGISTERED'),
  invalidToken: fcm(
    400,
    'INVALID_ARGUMENT',
    'The registration token is not a valid FCM registration token',
    'INVALID_ARGUMENT',
  ),
  senderMismatch: fcm(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH'),
  thirdPartyAuth: fcm(401, 'UNAUTHENTICATED', 'Auth error from APNS or Web Push Service', 'THIRD_PARTY_AUTH_ERROR'),
  quota: fcm(
    429,
    'RESOURCE_EXHAUSTED',
    "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute' of service 'fcm.googleapis.com'.",
    'QUOTA_EXCEEDED',
  ),
  unavailable: fcm(503, 'UNAVAILABLE', 'The service is currently unavailable.', 'UNAVAILABLE'),
  internal: fcm(500, 'INTERNAL', 'Internal error encountered.', 'INTERNAL'),
  missingBearer: auth(
    401,
    'UNAUTHENTICATED',
    'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    'CREDENTIALS_MISSING',
  ),
  badBearer: auth(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    'ACCESS_TOKEN_EXPIRED',
  ),
  otherProject: auth(
    403,
    'PERMISSION_DENIED',
    "Permission 'cloudmessaging.messages.create' denied on the project (or it may not exist).",
    'IAM_PERMISSION_DENIED',
  ),
  noSuchPath: make(404, 'NOT_FOUND', 'The requested URL was not found on this server.', [], 'NOT_FOUND'),
  bodyTooLarge: make(413, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit.', [], 'INVALID_ARGUMENT'),
} as const satisfies Record<string, GoogleError>;

/** The JSON does not fit the API's messages; FCM itself never saw it, so there is no FcmError. */
export function malformedRequest(violations: readonly FieldViolation[]): GoogleError {
  const message = violations.map((violation) => violation.description).join('\n');
  const details = [{ '@type': BAD_REQUEST, fieldViolations: violations }];
  return make(400, 'INVALID_ARGUMENT', message, details, 'INVALID_ARGUMENT');
}

/** The JSON fits, but FCM refuses what it says. */
export function refusedMessage(field: string, description: string): GoogleError {
  const details = [
    { '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' },
    { '@type': BAD_REQUEST, fieldViolations: [{ field, description }] },
  ];
  return make(400, 'INVALID_ARGUMENT', description, details, 'INVALID_ARGUMENT');
}
