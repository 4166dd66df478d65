import { describe, expect, it } from '@jest/globals';
import { constants } from 'node:http2';
import { outcomeOf, type StreamEnd } from './answer.ts';

const NOW = Date.UTC(2026, 0, 1);
const NAME = '{"name":"projects/p/messages/0:1500415314455276%31bd1c9631bd1c96"}';
const whole: StreamEnd = { sent: true, refused: false, status: 200, retryAfter: undefined, body: NAME, resetCode: 0 };
const outcome = (end: Partial<StreamEnd>) => outcomeOf({ ...whole, ...end }, NOW);

function errorBody(status: string, errorCode?: string): string {
  const fcm = { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode };
  const other = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [],
    errorCode: 'UNREGISTERED',
  };
  return JSON.stringify({ error: { status, details: errorCode === undefined ? [other] : [other, fcm] } });
}

describe('an answer of FCM', () => {
  it('accepts only what it names', () => {
    expect(outcome({})).toEqual({ outcome: 'accepted' });
    for (const body of ['', '{', 'null', '[]', '{}', '{"name":7}', '{"name":"projects/p"}']) {
      expect(outcome({ body })).toEqual({ outcome: 'unknown', code: 'MALFORMED_ANSWER' });
    }
    expect(outcome({ status: 204, body: '' })).toEqual({ outcome: 'unknown', code: 'MALFORMED_ANSWER' });
  });

  it.each([
    [404, 'NOT_FOUND', 'UNREGISTERED', { outcome: 'unregistered' }],
    [404, 'NOT_FOUND', undefined, { outcome: 'retry', code: 'NOT_FOUND' }],
    [400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', { outcome: 'rejected', code: 'INVALID_ARGUMENT' }],
    [400, 'INVALID_ARGUMENT', undefined, { outcome: 'rejected', code: 'INVALID_ARGUMENT' }],
    [403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH', { outcome: 'rejected', code: 'SENDER_ID_MISMATCH' }],
    [403, 'PERMISSION_DENIED', undefined, { outcome: 'retry', code: 'PERMISSION_DENIED' }],
    [401, 'UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR', { outcome: 'rejected', code: 'THIRD_PARTY_AUTH_ERROR' }],
    [401, 'UNAUTHENTICATED', undefined, { outcome: 'retry', code: 'UNAUTHENTICATED' }],
    [429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', { outcome: 'retry', code: 'QUOTA_EXCEEDED', tooMany: true }],
    [500, 'INTERNAL', 'INTERNAL', { outcome: 'retry', code: 'INTERNAL' }],
    [503, 'UNAVAILABLE', 'UNAVAILABLE', { outcome: 'retry', code: 'UNAVAILABLE' }],
    [504, 'DEADLINE_EXCEEDED', undefined, { outcome: 'unknown', code: 'DEADLINE_EXCEEDED' }],
    [599, 'SOMETHING_NEW', undefined, { outcome: 'retry', code: 'SOMETHING_NEW' }],
    [418, 'SOMETHING_NEW', undefined, { outcome: 'rejected', code: 'SOMETHING_NEW' }],
  ])('%i %s %s', (status, google, fcm, expected) => {
    expect(outcome({ status, body: errorBody(google, fcm) })).toEqual(expected);
  });

  it('goes by the status where the words are not FCM’s', () => {
    expect(outcome({ status: 502, body: '<html>Bad gateway' })).toEqual({ outcome: 'retry', code: 'HTTP_502' });
    expect(outcome({ status: 302, body: '' })).toEqual({ outcome: 'rejected', code: 'HTTP_302' });
    expect(outcome({ status: 404, body: '{"error":"gone"}' })).toEqual({ outcome: 'retry', code: 'HTTP_404' });
    expect(outcome({ status: 400, body: errorBody('Li Ming is 7') })).toEqual({
      outcome: 'rejected',
      code: 'HTTP_400',
    });
  });

  it.each([
    ['7', 7000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:01:30 GMT', 90_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
  ])('honours Retry-After: %s', (retryAfter, afterMs) => {
    const body = errorBody('RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED');
    expect(outcome({ status: 429, retryAfter, body })).toEqual({
      outcome: 'retry',
      code: 'QUOTA_EXCEEDED',
      afterMs,
      tooMany: true,
    });
  });

  it('ignores a Retry-After it cannot read', () => {
    expect(outcome({ status: 503, retryAfter: 'soon', body: '' })).toEqual({ outcome: 'retry', code: 'HTTP_503' });
  });
});

describe('a stream that ended without its whole answer', () => {
  const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR } = constants;
  const unanswered = { status: undefined, body: '' };

  it('is safe to send again only where the server cannot have acted on it', () => {
    expect(outcome({ ...unanswered, sent: false })).toEqual({ outcome: 'retry', code: 'NOT_SENT' });
    const refused = { ...unanswered, refused: true, resetCode: NGHTTP2_REFUSED_STREAM };
    expect(outcome(refused)).toEqual({ outcome: 'retry', code: 'REFUSED_STREAM' });
  });

  it('is unknown otherwise', () => {
    const lost = { ...unanswered, resetCode: NGHTTP2_CANCEL };
    expect(outcome(lost)).toEqual({ outcome: 'unknown', code: 'CONNECTION_LOST' });
    const reset = { ...unanswered, resetCode: NGHTTP2_INTERNAL_ERROR };
    expect(outcome(reset)).toEqual({ outcome: 'unknown', code: 'STREAM_RESET' });
    expect(outcome(unanswered)).toEqual({ outcome: 'unknown', code: 'STREAM_RESET' });
  });

  it('is unknown where success was begun and retried where an error was', () => {
    expect(outcome({ resetCode: NGHTTP2_CANCEL })).toEqual({ outcome: 'unknown', code: 'MALFORMED_ANSWER' });
    const halfError = { status: 404, resetCode: NGHTTP2_CANCEL, body: errorBody('NOT_FOUND', 'UNREGISTERED') };
    expect(outcome(halfError)).toEqual({ outcome: 'retry', code: 'HTTP_404' });
    expect(outcome({ ...halfError, status: 503 })).toEqual({ outcome: 'retry', code: 'HTTP_503' });
    expect(outcome({ ...halfError, status: 504 })).toEqual({ outcome: 'unknown', code: 'HTTP_504' });
  });
});
