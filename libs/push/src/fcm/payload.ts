import { createHash } from 'node:crypto';
import type { PushMessage } from '../push-gateway.ts';
import { jsonBytes, shorten } from '../shorten.ts';

/** FCM's and APNs' limit on what reaches the phone. Counted here as JSON, which is never less than either counts. */
export const PAYLOAD_LIMIT_BYTES = 4096;
/** FCM adds keys of its own (`gcm.message_id`, `google.c.*`) to what it hands to APNs. */
const APNS_RESERVE_BYTES = 256;
/** Where the text has to be cut, the title keeps no more than this, nor more than half, so that the body keeps the most. */
const CUT_TITLE_BYTES = 512;
/** The longest FCM keeps a message, https://firebase.google.com/docs/cloud-messaging/customize-messages/setting-message-priority */
const MAX_TTL_S = 28 * 24 * 3600;
/** APNs' limit on `apns-collapse-id`. */
const COLLAPSE_ID_LIMIT_BYTES = 64;

/** One request body in UTF-8, without what differs from phone to phone: the reference and the token go between its parts. */
export interface Template {
  readonly beforeRef: Buffer;
  readonly beforeToken: Buffer;
  readonly afterToken: Buffer;
}

interface Text {
  readonly title: string;
  readonly body: string;
}

/** Milliseconds since the epoch → what FCM's `ttl` and APNs' expiration are to be, in seconds. */
interface Lifetime {
  readonly ttlS: number;
  readonly expirationS: number;
}

/**
 * The request body of `projects.messages.send` for every phone that is told the same.
 * Android gets data only, so that the app draws, replaces and counts; iOS gets an alert its extension may mend.
 * @param refBytes UTF-8 bytes of the reference that will be put in, as JSON with its quotes
 * @param nowMs milliseconds since the epoch
 * @returns `null` where the message exceeds the payload limit even with its text cut
 */
export function template(message: PushMessage, refBytes: number, nowMs: number): Template | null {
  const wellFormed = { title: message.title.toWellFormed(), body: message.body.toWellFormed() };
  const text = fit(message, wellFormed, refBytes);
  if (text === null) return null;
  const lifetime = lifetimeOf(message.expiresAt, nowMs);
  const json = JSON.stringify(
    message.platform === 'android' ? android(message, text, lifetime) : ios(message, text, lifetime),
  );
  const close = message.platform === 'android' ? '}' : '}}';
  const beforeRef = Buffer.from(`{"message":${json.slice(0, -close.length - 1)},"ref":`);
  return { beforeRef, beforeToken: Buffer.from(`${close},"token":`), afterToken: Buffer.from('}}') };
}

/** The payload must be the last thing of the message and end open, for the reference to follow. */
function android(message: PushMessage, text: Text, { ttlS }: Lifetime) {
  return {
    android: { priority: 'HIGH', collapse_key: collapseId(message.alertId), ttl: `${ttlS}s` },
    data: keys(message, text),
  };
}

function ios(message: PushMessage, text: Text, { expirationS }: Lifetime) {
  return {
    apns: {
      headers: {
        'apns-priority': '10',
        'apns-push-type': 'alert',
        'apns-collapse-id': collapseId(message.alertId),
        'apns-expiration': `${expirationS}`,
      },
      payload: apnsPayload(message, text),
    },
  };
}

/** Time-sensitive breaks through a focus and needs no leave of Apple's; passive waits in the list, without light or sound. */
function apnsPayload(message: PushMessage, text: Text) {
  const wake = message.sound === 'wake';
  const aps = {
    alert: text,
    'mutable-content': 1,
    'interruption-level': wake ? 'time-sensitive' : 'passive',
    ...(wake ? { sound: 'default' } : {}),
  };
  return { aps, ...keys(message, text) };
}

/** What the app reads, all strings: FCM refuses any other value in `data`. */
function keys(message: PushMessage, text: Text): Record<string, string> {
  return {
    kind: message.kind,
    alert: message.alertId,
    slug: message.slug,
    version: `${message.version}`,
    ...text,
    area: message.area,
    band: `${message.band}`,
    sound: message.sound,
    link: message.link,
    ...(message.photo === null ? {} : { photo: message.photo }),
    expires: message.expiresAt.toISOString(),
  };
}

/** Cuts the title, then the body, to what the limit leaves them; never a link, an area or a reference. */
function fit(message: PushMessage, text: Text, refBytes: number): Text | null {
  const none = { title: '', body: '' };
  const onAndroid = message.platform === 'android';
  const bare = Buffer.byteLength(JSON.stringify(onAndroid ? keys(message, none) : apnsPayload(message, none)));
  const limit = onAndroid ? PAYLOAD_LIMIT_BYTES : PAYLOAD_LIMIT_BYTES - APNS_RESERVE_BYTES;
  const left = limit - bare - ',"ref":'.length - refBytes;
  // On iOS the text stands twice: in the alert the system draws and beside it, where the app looks for it on every phone.
  const room = onAndroid ? left : Math.floor(left / 2);
  if (jsonBytes(text.title) + jsonBytes(text.body) <= room) return text;
  const title = shorten(text.title, Math.min(Math.floor(room / 2), CUT_TITLE_BYTES));
  const body = title === null ? null : shorten(text.body, room - jsonBytes(title));
  return title === null || body === null ? null : { title, body };
}

/** A lifetime that is over becomes 'now or never' (0 to both), not a date in the past. */
function lifetimeOf(expiresAt: Date, nowMs: number): Lifetime {
  const ttlS = Math.min(Math.max(Math.floor((expiresAt.getTime() - nowMs) / 1000), 0), MAX_TTL_S);
  return { ttlS, expirationS: ttlS === 0 ? 0 : Math.floor(nowMs / 1000) + ttlS };
}

/** One per alert, so that a newer version replaces the older on a phone that was away. */
function collapseId(alertId: string): string {
  if (Buffer.byteLength(alertId) <= COLLAPSE_ID_LIMIT_BYTES) return alertId;
  return createHash('sha256').update(alertId).digest('base64url');
}
