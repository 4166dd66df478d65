import { constants } from 'node:http2';
import type { PushOutcome } from '../push-gateway.ts';

/** How one HTTP/2 stream ended. */
export interface StreamEnd {
  /** Whether the request reached the connection at all. */
  readonly sent: boolean;
  /** Whether the server is certain not to have acted on it: REFUSED_STREAM, or above the last stream a GOAWAY named. */
  readonly refused: boolean;
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
  /** The error code the stream was reset with, 0 where it ended whole. */
  readonly resetCode: number;
}

const ACCEPTED: PushOutcome = { outcome: 'accepted' };
const UNREGISTERED: PushOutcome = { outcome: 'unregistered' };
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';

/**
 * What an ended stream says became of the message.
 * @see https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.7 on what is safe to send again
 */
export function outcomeOf(end: StreamEnd, nowMs: number): PushOutcome {
  if (end.status === undefined) return outcomeWithoutAnswer(end);
  const whole = end.resetCode === constants.NGHTTP2_NO_ERROR;
  if (end.status < 300)
    return whole && namesMessage(end.body) ? ACCEPTED : { outcome: 'unknown', code: 'MALFORMED_ANSWER' };
  const said = whole ? errorIn(end.body) : {};
  // The reason was lost on the way, that it failed was not.
  if (!whole && end.status < 500) return { outcome: 'retry', code: `HTTP_${end.status}` };
  return outcomeOfError(end.status, said, retryAfterMs(end.retryAfter, nowMs));
}

function outcomeWithoutAnswer(end: StreamEnd): PushOutcome {
  if (!end.sent) return { outcome: 'retry', code: 'NOT_SENT' };
  if (end.refused) return { outcome: 'retry', code: 'REFUSED_STREAM' };
  return { outcome: 'unknown', code: end.resetCode === constants.NGHTTP2_CANCEL ? 'CONNECTION_LOST' : 'STREAM_RESET' };
}

interface Said {
  /** FCM's own word on the message. */
  readonly fcm?: string;
  /** google.rpc.Code, which any Google service may say of any request. */
  readonly status?: string;
}

function outcomeOfError(status: number, said: Said, afterMs: number | undefined): PushOutcome {
  if (said.fcm === 'UNREGISTERED') return UNREGISTERED;
  const code = said.fcm ?? said.status ?? `HTTP_${status}`;
  // A server in between gave up waiting for the one behind it, which may have done its work.
  if (status === 504) return { outcome: 'unknown', code };
  // Without FCM's own word these are about the bearer, its rights or the project: to be mended, not to cost a city its alert.
  const refusesSender = said.fcm === undefined && [401, 403, 404].includes(status);
  const again = status >= 500 || status === 429 || status === 408 || refusesSender;
  if (!again) return { outcome: 'rejected', code };
  return {
    outcome: 'retry',
    code,
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(status === 429 ? { tooMany: true } : {}),
  };
}

/** @see https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send: a message that was taken has a name. */
function namesMessage(body: string): boolean {
  const parsed = parse(body);
  return isRecord(parsed) && typeof parsed['name'] === 'string' && parsed['name'].includes('/messages/');
}

function errorIn(body: string): Said {
  const parsed = parse(body);
  const error = isRecord(parsed) ? parsed['error'] : undefined;
  if (!isRecord(error)) return {};
  const details = Array.isArray(error['details']) ? error['details'].filter(isRecord) : [];
  const fcm = details.find((detail) => detail['@type'] === FCM_ERROR)?.['errorCode'];
  return { ...(isCode(fcm) ? { fcm } : {}), ...(isCode(error['status']) ? { status: error['status'] } : {}) };
}

/** A code goes to logs and ledger: nothing that could carry a text passes as one. */
function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z][A-Z_]{0,63}$/.test(value);
}

/** RFC 9110, 10.2.3: seconds or an HTTP date. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
