/**
 * Reads the body of `messages:send` as FCM does
 * (https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).
 */
import { ERRORS, malformedRequest, refusedMessage, type FieldViolation, type GoogleError } from './google-errors.ts';
import * as json from './proto-json.ts';

/** FCM's and APNs' bound on what reaches the app, in bytes. */
const MAX_PAYLOAD_BYTES = 4096;
/** APNs' bound on `apns-collapse-id`, in bytes. */
const MAX_COLLAPSE_ID_BYTES = 64;
/** Four weeks, FCM's longest time to live. */
const MAX_TTL_SECONDS = 2_419_200;
const MAX_TOKEN_LENGTH = 4096;
const TOKEN = /^[\w:.~%-]+$/;
const ANALYTICS_LABEL = /^[\w.~%-]{1,50}$/;
/** Data keys FCM keeps for itself. */
const RESERVED_KEY = /^(from|message_type|collapse_key|google\..*|gcm\..*)$/;

export interface SendRequest {
  readonly token: string;
  readonly validateOnly: boolean;
  /** Android's `collapse_key` or iOS's `apns-collapse-id`. */
  readonly collapseKey: string | null;
  /** What the app is handed: `data`, or on iOS the keys beside `aps`. */
  readonly data: json.JsonObject;
}

const { text, flag, integer, textMap } = json;
const options = json.message({ analytics_label: text });
const color = json.message({ red: json.anyObject, green: json.anyObject, blue: json.anyObject, alpha: json.anyObject });
const androidNotification = json.message({
  ...Object.fromEntries(
    'title body icon color sound tag click_action body_loc_key title_loc_key channel_id ticker event_time image'
      .split(' ')
      .map((name) => [name, text]),
  ),
  ...Object.fromEntries(
    'sticky local_only default_sound default_vibrate_timings default_light_settings bypass_proxy_notification'
      .split(' ')
      .map((name) => [name, flag]),
  ),
  body_loc_args: json.listOf(text),
  title_loc_args: json.listOf(text),
  vibrate_timings: json.listOf(json.duration),
  notification_count: integer,
  notification_priority: json.oneOf('AndroidNotification.NotificationPriority', [
    'PRIORITY_UNSPECIFIED',
    'PRIORITY_MIN',
    'PRIORITY_LOW',
    'PRIORITY_DEFAULT',
    'PRIORITY_HIGH',
    'PRIORITY_MAX',
  ]),
  visibility: json.oneOf('AndroidNotification.Visibility', ['VISIBILITY_UNSPECIFIED', 'PRIVATE', 'PUBLIC', 'SECRET']),
  proxy: json.oneOf('AndroidNotification.Proxy', ['PROXY_UNSPECIFIED', 'ALLOW', 'DENY', 'IF_PRIORITY_LOWERED']),
  light_settings: json.message({ color, light_on_duration: json.duration, light_off_duration: json.duration }),
});

const body = json.message({
  validate_only: flag,
  message: json.message({
    name: text,
    token: text,
    topic: text,
    condition: text,
    data: textMap,
    notification: json.message({ title: text, body: text, image: text }),
    fcm_options: options,
    android: json.message({
      collapse_key: text,
      priority: json.oneOf('AndroidConfig.AndroidMessagePriority', ['NORMAL', 'HIGH']),
      ttl: json.duration,
      restricted_package_name: text,
      data: textMap,
      notification: androidNotification,
      fcm_options: options,
      direct_boot_ok: flag,
      bandwidth_constrained_ok: flag,
      restricted_satellite_ok: flag,
    }),
    apns: json.message({
      headers: textMap,
      payload: json.anyObject,
      fcm_options: json.message({ analytics_label: text, image: text }),
      live_activity_token: text,
    }),
    webpush: json.message({
      headers: textMap,
      data: textMap,
      notification: json.anyObject,
      fcm_options: json.message({ link: text, analytics_label: text }),
    }),
  }),
});

/** What the request asks for, or why it is refused. */
export function readSendRequest(raw: string): SendRequest | GoogleError {
  const parsed = parse(raw);
  const violations: FieldViolation[] = [];
  if (parsed === undefined)
    return malformedRequest([{ description: 'Invalid JSON payload received. Parsing failed.' }]);
  body(parsed, '', violations);
  if (violations.length > 0) return malformedRequest(violations);
  const message = json.objectField(parsed as json.JsonObject, 'message');
  return refusal(message, raw.length) ?? accepted(parsed as json.JsonObject, message as json.JsonObject);
}

export function isError(outcome: SendRequest | GoogleError): outcome is GoogleError {
  return 'status' in outcome;
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

function accepted(request: json.JsonObject, message: json.JsonObject): SendRequest {
  const android = json.objectField(message, 'android');
  const apns = json.objectField(message, 'apns');
  const data = android?.['data'] ?? message['data'] ?? apns?.['payload'] ?? {};
  const collapseKey = android?.['collapse_key'] ?? json.objectField(apns, 'headers')?.['apns-collapse-id'] ?? null;
  return {
    token: message['token'] as string,
    validateOnly: json.field(request, 'validate_only') === true,
    collapseKey: collapseKey as string | null,
    data: data as json.JsonObject,
  };
}

/** The first thing FCM finds wrong with a well-formed message. */
function refusal(message: json.JsonObject | undefined, length: number): GoogleError | undefined {
  const token = message?.['token'];
  if (message === undefined || typeof token !== 'string' || token === '') {
    return refusedMessage('message', 'Recipient of the message is not set.');
  }
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) return ERRORS.invalidToken;
  return refusedOptions(message) ?? refusedAndroid(message, length) ?? refusedApns(message, length);
}

function refusedOptions(message: json.JsonObject): GoogleError | undefined {
  for (const [path, part] of [
    ['message', message],
    ['message.android', json.objectField(message, 'android')],
    ['message.apns', json.objectField(message, 'apns')],
  ] as const) {
    const label = json.field(json.objectField(part, 'fcm_options'), 'analytics_label');
    if (typeof label === 'string' && !ANALYTICS_LABEL.test(label)) {
      return refusedMessage(`${path}.fcm_options.analytics_label`, 'Invalid analytics label.');
    }
  }
  return undefined;
}

function refusedAndroid(message: json.JsonObject, length: number): GoogleError | undefined {
  const android = json.objectField(message, 'android');
  const ttl = android?.['ttl'];
  if (typeof ttl === 'string' && !(parseFloat(ttl) >= 0 && parseFloat(ttl) <= MAX_TTL_SECONDS)) {
    return refusedMessage('message.android.ttl', 'Invalid time to live: must be between 0 and 2419200 seconds');
  }
  const data = json.objectField(android, 'data') ?? json.objectField(message, 'data');
  for (const key in data) {
    if (RESERVED_KEY.test(key)) return refusedMessage('message.data', `Invalid data payload key: ${key}`);
  }
  // The JSON text is never shorter than what it holds, counted in UTF-16 units of at most three bytes each.
  if (length * 3 <= MAX_PAYLOAD_BYTES) return undefined;
  const bytes = textBytes(data) + textBytes(json.objectField(message, 'notification'));
  return bytes > MAX_PAYLOAD_BYTES ? refusedMessage('message', 'Android message is too big') : undefined;
}

function refusedApns(message: json.JsonObject, length: number): GoogleError | undefined {
  const apns = json.objectField(message, 'apns');
  const collapseId = json.objectField(apns, 'headers')?.['apns-collapse-id'];
  if (typeof collapseId === 'string' && Buffer.byteLength(collapseId) > MAX_COLLAPSE_ID_BYTES) {
    return refusedMessage('message.apns.headers', 'Invalid apns-collapse-id: longer than 64 bytes');
  }
  const payload = json.objectField(apns, 'payload');
  if (payload === undefined) return undefined;
  if (payload['aps'] !== undefined && !json.isObject(payload['aps'])) {
    return refusedMessage('message.apns.payload', 'Invalid APNs payload: aps must be an object');
  }
  if (length * 3 <= MAX_PAYLOAD_BYTES) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  return bytes > MAX_PAYLOAD_BYTES ? refusedMessage('message.apns.payload', 'APNs payload is too big') : undefined;
}

/** Bytes of all names and texts, which is how FCM counts a data payload. */
function textBytes(map: json.JsonObject | undefined): number {
  let bytes = 0;
  for (const key in map) {
    const value = map[key];
    bytes += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
  }
  return bytes;
}
