import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applicationDefault } from 'firebase-admin/app';
import type { Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import {
  cleanUp,
  onCleanUp,
  payload,
  removeScratch,
  scratchDir,
  Sender,
  simulator,
  until,
  type Answer,
  type Broken,
} from './fcm-simulator.harness.ts';

const REFUSED_STREAM = 7;
const INTERNAL_ERROR = 2;
const CANCEL = 8;
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

interface ErrorBody {
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly status: string;
    readonly details?: readonly { '@type': string; errorCode?: string; fieldViolations?: { field?: string }[] }[];
  };
}

function answered(result: Answer | Broken): Answer {
  if (result.status === 0) throw new Error(`the stream broke with code ${(result as Broken).code}`);
  return result as Answer;
}

function errorOf(result: Answer | Broken): ErrorBody['error'] {
  return (JSON.parse(answered(result).text) as ErrorBody).error;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

async function control(target: Simulator, method: string, path: string, body?: string): Promise<[number, unknown]> {
  const response = await fetch(`${target.controlUrl}${path}`, { method, ...(body !== undefined && { body }) });
  return [response.status, await response.json()];
}

afterEach(cleanUp);
afterAll(removeScratch);

describe('sending', () => {
  it('answers an accepted message with its name', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const result = answered(await sender.send({ token: 'sim:1', data: payload() }));
    expect(result.status).toBe(200);
    expect(result.headers['content-type']).toBe('application/json; charset=UTF-8');
    const { name } = JSON.parse(result.text) as { name: string };
    expect(name).toMatch(/^projects\/golden72-sim\/messages\/0:\d+%[0-9a-f]+$/);
    expect(sim.stats()).toMatchObject({ requests: 1, accepted: 1, sessions: 1, byKind: { alert: { accepted: 1 } } });
  });

  it('speaks HTTP/2 only and allows 100 streams a session', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    expect(sender.session.remoteSettings.maxConcurrentStreams).toBe(100);
    const { port } = new URL(sim.fcmUrl);
    const ca = readFileSync(sim.caPath);
    const socket = connectTls({ port: Number(port), host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'close').catch(() => undefined);
    expect(socket.alpnProtocol).not.toBe('http/1.1');
  });

  it('never has more than 100 streams of a session open', async () => {
    const sim = await simulator({ settings: { latencyMs: { min: 5, max: 10 } } });
    const sender = await Sender.to(sim);
    await Promise.all(Array.from({ length: 500 }, (_, i) => sender.send({ token: `sim:${i}`, data: payload() })));
    expect(sim.stats()).toMatchObject({ accepted: 500, maxConcurrentStreams: 100, distinctTokens: 500 });
  });

  it('only checks a message that asks for validation alone', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const result = await sender.raw(JSON.stringify({ validate_only: true, message: { token: 't', data: payload() } }));
    expect(result.status).toBe(200);
    expect(sim.stats()).toMatchObject({ accepted: 0, validated: 1 });
    expect(sim.shownBy('t')).toEqual([]);
  });

  it('takes both spellings of a field, every field of the reference, and iOS', async () => {
    const sender = await Sender.to(await simulator());
    const android = {
      collapseKey: 'a',
      priority: 'high',
      ttl: '3600.5s',
      direct_boot_ok: true,
      notification: { sticky: false },
    };
    const apns = {
      headers: { 'apns-priority': '10', 'apns-collapse-id': 'x'.repeat(64) },
      payload: { aps: { alert: { title: 'T', body: 'B' }, 'mutable-content': 1 }, ...payload() },
    };
    for (const message of [
      { token: 't', android, data: payload(), fcm_options: { analytics_label: 'l' }, notification: null },
      { token: 't', apns },
    ]) {
      expect((await sender.send(message)).status).toBe(200);
    }
  });

  it('reads what the phone gets from data, and on iOS from beside aps', async () => {
    const sim = await simulator({ settings: { phones: { receiveRate: 1, deliveryMs: { min: 0, max: 0 } } } });
    const sender = await Sender.to(sim);
    await sender.send({ token: 'android', data: payload({ ref: 'a' }) });
    await sender.send({ token: 'ios', apns: { payload: { aps: {}, ...payload({ ref: 'i' }) } } });
    await sim.drain();
    expect(sim.shownBy('android')).toEqual([payload({ ref: 'a' })]);
    expect(sim.shownBy('ios')).toEqual([{ aps: {}, ...payload({ ref: 'i' }) }]);
    expect(sim.shownBy('nobody')).toEqual([]);
  });
});

describe('signing in', () => {
  it.each([
    ['no bearer', { authorization: '' }, 401, 'UNAUTHENTICATED'],
    ['an unknown bearer', { authorization: 'Bearer ya29.unknown' }, 401, 'UNAUTHENTICATED'],
    ['another project', { ':path': '/v1/projects/other/messages:send' }, 403, 'PERMISSION_DENIED'],
    ['another path', { ':path': '/v1/projects/golden72-sim/messages' }, 404, 'NOT_FOUND'],
    ['another method', { ':method': 'PUT' }, 404, 'NOT_FOUND'],
  ])('refuses %s', async (_what, headers, code, status) => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const result = await sender.send({ token: 't', data: payload() }, headers);
    expect(result.status).toBe(code);
    expect(errorOf(result)).toMatchObject({ code, status });
    expect(sim.stats()).toMatchObject({ accepted: 0, byError: { [status]: 1 } });
  });

  it('refuses a bearer whose life is over and one that was revoked', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    expect((await sender.send({ token: 't', data: payload() })).status).toBe(200);
    sim.revokeBearers();
    expect((await sender.send({ token: 't', data: payload() })).status).toBe(401);
    await sim.configure({ tokenLifetimeSeconds: 0 });
    const expired = await Sender.to(sim);
    const result = answered(await expired.send({ token: 't', data: payload() }));
    expect(result.status).toBe(401);
    expect(result.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it("hands firebase-admin's application default credential a bearer that it accepts", async () => {
    const sim = await simulator({ settings: { tokenLifetimeSeconds: 3000 } });
    const before = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = sim.credentialsPath;
    try {
      const token = await applicationDefault().getAccessToken();
      expect(token.expires_in).toBeGreaterThan(2900);
      expect(token.expires_in).toBeLessThanOrEqual(3000);
      const sender = await Sender.to(sim);
      const headers = { authorization: `Bearer ${token.access_token}` };
      expect((await sender.send({ token: 't', data: payload() }, headers)).status).toBe(200);
    } finally {
      if (before === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
      else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = before;
    }
  });

  it.each([
    ['grant_type=password', 'unsupported_grant_type'],
    ['grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x', 'invalid_request'],
  ])('refuses the exchange %s', async (form, error) => {
    expect(await control(await simulator(), 'POST', '/sts/token', form)).toMatchObject([400, { error }]);
  });
});

describe('what a message must be', () => {
  it.each([
    ['an unknown field', { token: 't', dta: {} }, 'message'],
    ['an unknown nested field', { token: 't', android: { collapse: 'x' } }, 'message.android'],
    ['a number as data', { token: 't', data: { a: 'x', b: 12 } }, 'message.data[1].value'],
    ['a priority FCM does not know', { token: 't', android: { priority: 'urgent' } }, 'message.android.priority'],
    ['a time to live without unit', { token: 't', android: { ttl: '3600' } }, 'message.android.ttl'],
    ['a list for an object', { token: 't', notification: [] }, 'message.notification'],
    ['headers that are no texts', { token: 't', apns: { headers: { a: 1 } } }, 'message.apns.headers[0].value'],
    ['no recipient', { data: {} }, 'message'],
    ['a time to live beyond four weeks', { token: 't', android: { ttl: '2419201s' } }, 'message.android.ttl'],
    ['a reserved data key', { token: 't', data: { from: 'x' } }, 'message.data'],
    [
      'a long collapse id',
      { token: 't', apns: { headers: { 'apns-collapse-id': 'é'.repeat(33) } } },
      'message.apns.headers',
    ],
    ['an aps that is a text', { token: 't', apns: { payload: { aps: 'x' } } }, 'message.apns.payload'],
  ])('refuses %s', async (_what, message, field) => {
    const sim = await simulator();
    const error = errorOf(await (await Sender.to(sim)).send(message));
    expect(error).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
    const violations = error.details?.find((detail) => detail['@type'] === BAD_REQUEST)?.fieldViolations;
    expect(violations).toEqual([expect.objectContaining({ field })]);
    expect(sim.stats()).toMatchObject({ accepted: 0, byError: { INVALID_ARGUMENT: 1 } });
  });

  it.each([['{"message":'], ['[]'], ['"text"'], [''], ['{"unknown":1}']])('refuses the body %j', async (body) => {
    const result = await (await Sender.to(await simulator())).raw(body);
    expect(errorOf(result)).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' });
  });

  it('refuses a body no send could need before reading it all', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const result = await sender.send({ token: 't', data: { a: 'x'.repeat(300_000) } });
    expect(result.status).toBe(413);
    expect((await sender.send({ token: 't', data: payload() })).status).toBe(200);
  });

  it('counts the bytes of names and texts up to 4096', async () => {
    const sender = await Sender.to(await simulator());
    for (const [text, status] of [
      ['x'.repeat(4095), 200],
      ['x'.repeat(4096), 400],
      ['寻'.repeat(1365), 200],
      ['寻'.repeat(1366), 400],
    ] as const) {
      expect((await sender.send({ token: 't', data: { k: text } })).status).toBe(status);
      const aps = { payload: { aps: {}, k: text.slice(20) } };
      expect((await sender.send({ token: 't', apns: aps })).status).toBe(200);
    }
    const apns = { payload: { aps: {}, k: 'x'.repeat(4096) } };
    expect(errorOf(await sender.send({ token: 't', apns })).message).toBe('APNs payload is too big');
  });
});

describe('tokens', () => {
  it.each([
    ['UNREGISTERED', 404, 'NOT_FOUND'],
    ['INVALID_ARGUMENT', 400, 'INVALID_ARGUMENT'],
    ['SENDER_ID_MISMATCH', 403, 'PERMISSION_DENIED'],
    ['THIRD_PARTY_AUTH_ERROR', 401, 'UNAUTHENTICATED'],
  ] as const)('answers %s as Google does', async (state, code, status) => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    sim.setTokenState('bad', state);
    const error = errorOf(await sender.send({ token: 'bad', data: payload() }));
    const details = [{ '@type': FCM_ERROR, errorCode: state }];
    expect(error).toEqual({ code, message: expect.any(String), status, details });
    sim.setTokenState('bad', undefined);
    expect((await sender.send({ token: 'bad', data: payload() })).status).toBe(200);
    expect(sim.stats().byError).toEqual({ [state]: 1 });
  });

  it('names an unregistered token with the very body of Google', async () => {
    const sim = await simulator({ settings: { unregisteredRate: 1 } });
    const result = answered(await (await Sender.to(sim)).send({ token: 't', data: payload() }));
    expect(result.text).toBe(
      '{"error":{"code":404,"message":"Requested entity was not found.","status":"NOT_FOUND","details":' +
        '[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}',
    );
  });

  it('keeps a dead token dead, in about the share asked for', async () => {
    const sim = await simulator({ settings: { unregisteredRate: 0.2, invalidRate: 0.1 } });
    const sender = await Sender.to(sim);
    const round = () =>
      Promise.all(
        Array.from({ length: 1000 }, async (_, i) => (await sender.send({ token: `t${i}`, data: {} })).status),
      );
    const first = await round();
    expect(await round()).toEqual(first);
    const share = (status: number) => first.filter((one) => one === status).length / first.length;
    expect(Math.abs(share(404) - 0.2)).toBeLessThan(0.05);
    expect(Math.abs(share(400) - 0.1)).toBeLessThan(0.05);
  });
});

describe('limits and faults', () => {
  it('answers 429 with Retry-After over the quota, counting refused messages too', async () => {
    const sim = await simulator({ settings: { quotaPerMinute: 120, retryAfterSeconds: 7 } });
    const sender = await Sender.to(sim);
    const results = await Promise.all([
      sender.send({ token: 't', unknown: 1 }),
      sender.send({ token: 't', data: payload() }),
      sender.send({ token: 't', data: payload() }),
    ]);
    expect(results.map((result) => result.status)).toEqual([400, 200, 429]);
    const last = answered(results[2]);
    expect(last.headers['retry-after']).toBe('7');
    expect(errorOf(last)).toMatchObject({ status: 'RESOURCE_EXHAUSTED', details: [{ errorCode: 'QUOTA_EXCEEDED' }] });
  });

  it.each([
    ['unavailable', 503, 'UNAVAILABLE', '1'],
    ['internal', 500, 'INTERNAL', undefined],
    ['quota429', 429, 'QUOTA_EXCEEDED', '1'],
  ] as const)('injects %s', async (fault, code, errorCode, retryAfter) => {
    const sim = await simulator({ settings: { faults: { [fault]: 1 } } });
    const result = answered(await (await Sender.to(sim)).send({ token: 't', data: payload() }));
    expect(errorOf(result)).toMatchObject({ code, details: [{ errorCode }] });
    expect(result.headers['retry-after']).toBe(retryAfter);
    expect(sim.stats()).toMatchObject({ accepted: 0, byError: { [errorCode]: 1 } });
  });

  it.each([[0], [1]])('breaks answers, and delivers all the same when told to (%d)', async (ambiguousDelivered) => {
    const sim = await simulator({ settings: { ambiguousDelivered } });
    const sender = await Sender.to(sim);
    await sim.configure({ faults: { malformed: 1 } });
    const malformed = answered(await sender.send({ token: 'm', data: payload() }));
    expect(malformed.status).toBe(200);
    expect(() => JSON.parse(malformed.text) as unknown).toThrow();
    await sim.configure({ faults: { malformed: 0, reset: 1 } });
    expect(await sender.send({ token: 'r', data: payload() })).toEqual({ status: 0, code: INTERNAL_ERROR });
    await sim.configure({ faults: { reset: 0, timeout: 1 } });
    const unanswered = sender.send({ token: 't', data: payload() });
    await until(() => sim.stats().unanswered.timeout === 1);
    sender.session.destroy(undefined, CANCEL);
    expect(await unanswered).toMatchObject({ status: 0 });
    const delivered = ambiguousDelivered * 3;
    expect(sim.stats()).toMatchObject({
      accepted: 0,
      deliveredUnanswered: delivered,
      distinctTokens: delivered,
      unanswered: { malformed: 1, reset: 1, timeout: 1, inFlight: 0 },
    });
  });

  it('is down for all, or gone, and back on the same port', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    await sim.configure({ down: true });
    expect(errorOf(await sender.send({ token: 't', data: payload() }))).toMatchObject({ code: 503 });
    await sim.configure({ down: 'refuse' });
    await until(() => sender.session.destroyed);
    await expect(Sender.to(sim)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await sim.configure({ down: false });
    expect((await (await Sender.to(sim)).send({ token: 't', data: payload() })).status).toBe(200);
  });

  it('breaks connections without a word', async () => {
    const sim = await simulator({ settings: { latencyMs: { min: 60_000, max: 60_000 }, ambiguousDelivered: 0 } });
    const sender = await Sender.to(sim);
    let goaways = 0;
    sender.session.on('goaway', () => goaways++);
    const sent = sender.send({ token: 't', data: payload() });
    await until(() => sim.stats().unanswered.inFlight === 1);
    sim.dropSessions();
    expect(await sent).toMatchObject({ status: 0 });
    await until(() => sim.stats().openSessions === 0);
    expect(sim.stats().unanswered).toMatchObject({ aborted: 1, inFlight: 0 });
    expect(goaways).toBe(0);
  });
});

describe('GOAWAY', () => {
  it('lets a session finish what was taken, and disowns the rest', async () => {
    const sim = await simulator({ settings: { goawayEvery: 20, latencyMs: { min: 5, max: 20 } } });
    const sender = await Sender.to(sim);
    const named: (number | undefined)[] = [];
    sender.session.on('goaway', (_code, lastStreamId: number | undefined) => named.push(lastStreamId));
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => sender.send({ token: `t${i}`, data: {} })));
    const ok = results.filter((result) => result.status === 200).length;
    expect(ok).toBeGreaterThanOrEqual(20);
    expect(results.filter((result) => result.status === 0 && (result as Broken).code === REFUSED_STREAM)).toHaveLength(
      50 - ok,
    );
    expect(named[0]).toBeGreaterThanOrEqual(39);
    expect(sim.stats()).toMatchObject({ accepted: ok, goaways: 1 });
  });

  it('abruptly names an earlier stream and has processed none after it', async () => {
    const sim = await simulator({
      settings: { goawayEvery: 30, goawayKind: 'abrupt', phones: { receiveRate: 1, deliveryMs: { min: 0, max: 0 } } },
    });
    const sender = await Sender.to(sim);
    expect((await sender.send({ token: 'first', data: payload() })).status).toBe(200);
    await sim.configure({ latencyMs: { min: 20, max: 30 } });
    const tokens = Array.from({ length: 40 }, (_, i) => `t${i}`);
    const results = await Promise.all(tokens.map((token) => sender.send({ token, data: payload() })));
    const refused = tokens.filter((_, i) => results[i]?.status === 0 && (results[i] as Broken).code === REFUSED_STREAM);
    expect(refused).toHaveLength(40);
    await sim.drain();
    expect(sim.stats()).toMatchObject({ accepted: 1, goaways: 1, deliveredUnanswered: 0, phones: { shown: 1 } });
    expect(sim.stats().unanswered.inFlight).toBe(0);
    expect(refused.flatMap((token) => sim.shownBy(token))).toEqual([]);
    expect((await (await Sender.to(sim)).send({ token: 'again', data: payload() })).status).toBe(200);
  });
});

describe('books', () => {
  it('balance: requests = accepted + validated + errors + unanswered, whatever happens', async () => {
    const sim = await simulator();
    const share = fc.integer({ min: 0, max: 15 }).map((percent) => percent / 100);
    const faults = fc.record({
      unavailable: share,
      internal: share,
      quota429: share,
      malformed: share,
      reset: share,
      timeout: fc.constant(0),
    });
    await fc.assert(
      fc.asyncProperty(faults, share, fc.integer({ min: 1, max: 60 }), async (drawn, unregisteredRate, count) => {
        await sim.configure({ faults: drawn, unregisteredRate });
        const before = sim.stats();
        const sender = await Sender.to(sim);
        const results = await Promise.all(
          Array.from({ length: count }, (_, i) => sender.send({ token: `t${i}`, data: payload() })),
        );
        const after = sim.stats();
        const settled = after.accepted + after.validated + sum(after.byError) + sum(after.unanswered);
        expect(after.requests).toBe(settled);
        expect(after.requests - before.requests).toBe(count);
        const status = (code: number) => results.filter((result) => result.status === code).length;
        const malformed = after.unanswered.malformed - before.unanswered.malformed;
        expect(status(200)).toBe(after.accepted - before.accepted + malformed);
        expect(status(0)).toBe(after.unanswered.reset - before.unanswered.reset);
      }),
      { numRuns: 40 },
    );
  });

  it('keep each alert and kind apart and find duplicates', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const sends = [
      ['t1', { alert: 'A', version: '1' }],
      ['t1', { alert: 'A', version: '1' }],
      ['t2', { alert: 'A', version: '1' }],
      ['t1', { alert: 'A', version: '2', kind: 'found' }],
      ['t1', { alert: 'A', version: '1' }],
      ['t1', { alert: 'B', version: '1' }],
    ] as const;
    for (const [token, overrides] of sends) await sender.send({ token, data: payload(overrides) });
    expect(sim.alertStats('A')).toMatchObject({
      accepted: 5,
      distinctTokens: 2,
      duplicates: 2,
      byKind: { alert: { accepted: 4, distinctTokens: 2, duplicates: 2 }, found: { accepted: 1, duplicates: 0 } },
    });
    expect(sim.alertStats('B')).toMatchObject({ accepted: 1, distinctTokens: 1, duplicates: 0 });
    expect(sim.stats()).toMatchObject({ accepted: 6, distinctTokens: 2, byKind: { alert: { accepted: 5 } } });
    expect(sim.alertStats('none')).toMatchObject({ accepted: 0, firstAcceptedAt: null, byKind: {} });
  });

  it('keep a timeline by band that shows what came out of order', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    for (const band of ['0', '0', '3', '1', '4']) await sender.send({ token: `t${band}`, data: payload({ band }) });
    const timeline = sim.timeline('A1');
    expect(timeline.bands.map(({ band, accepted }) => [band, accepted])).toEqual([
      [0, 2],
      [1, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(timeline.maxBandInversion).toBe(2);
    expect(timeline.bands.every(({ firstMs, lastMs }) => firstMs >= 0 && lastMs >= firstMs)).toBe(true);
    expect(sim.timeline('A1', 'found').bands).toEqual([]);
  });
});

describe('control', () => {
  it('serves books, settings and phones over HTTP', async () => {
    const sim = await simulator({ settings: { phones: { receiveRate: 1, deliveryMs: { min: 0, max: 0 } } } });
    await (await Sender.to(sim)).send({ token: 't', data: payload() });
    expect(await control(sim, 'POST', '/control/drain?timeoutMs=20000')).toEqual([200, { drained: true, pending: 0 }]);
    expect(await control(sim, 'GET', '/control/stats')).toEqual([200, sim.stats()]);
    expect(await control(sim, 'GET', '/control/stats?alert=A1')).toEqual([200, sim.alertStats('A1')]);
    expect(await control(sim, 'GET', '/control/timeline?alert=A1')).toEqual([200, sim.timeline('A1')]);
    expect(await control(sim, 'POST', '/control/phones/last', '{"token":"t"}')).toEqual([200, { shown: [payload()] }]);
    const patched = await control(sim, 'PATCH', '/control/settings', '{"quotaPerMinute":5,"faults":{"reset":0.5}}');
    expect(patched).toMatchObject([200, { quotaPerMinute: 5, faults: { reset: 0.5, timeout: 0 } }]);
    expect(await control(sim, 'GET', '/control/settings')).toEqual(patched);
  });

  it('gives, revokes and refuses bearers and token states', async () => {
    const sim = await simulator();
    const sender = await Sender.to(sim);
    const [, issued] = await control(sim, 'POST', '/control/bearers');
    const headers = { authorization: `Bearer ${(issued as { accessToken: string }).accessToken}` };
    expect((await sender.send({ token: 't', data: {} }, headers)).status).toBe(200);
    expect(await control(sim, 'POST', '/control/phones/switch', '{"token":"t","on":true}')).toEqual([200, {}]);
    await control(sim, 'POST', '/control/tokens', '{"token":"t","state":"UNREGISTERED"}');
    expect((await sender.send({ token: 't', data: {} }, headers)).status).toBe(404);
    await control(sim, 'DELETE', '/control/bearers');
    expect((await sender.send({ token: 't', data: {} }, headers)).status).toBe(401);
    await control(sim, 'DELETE', '/control/sessions');
    await until(() => sender.session.destroyed);
  });

  it.each([
    ['PATCH', '/control/settings', '{"quota":5}', 400, { code: 'BAD_SETTING', setting: 'quota' }],
    ['PATCH', '/control/settings', '{"faults":{"reset":2}}', 400, { code: 'BAD_SETTING', setting: 'faults.reset' }],
    ['PATCH', '/control/settings', '{"faults":{"reset":0.6,"timeout":0.6}}', 400, { setting: 'faults' }],
    ['PATCH', '/control/settings', '{"latencyMs":{"min":5,"max":1}}', 400, { setting: 'latencyMs' }],
    ['PATCH', '/control/settings', '{"down":"maybe"}', 400, { setting: 'down' }],
    ['POST', '/control/phones/switch', '{"token":"t","on":1}', 400, { code: 'BAD_BODY' }],
    ['GET', '/control/arrivals?alert=A1', undefined, 409, { code: 'NOT_KEPT' }],
    ['PATCH', '/control/settings', '{"phones":{"openRate":"x"}}', 400, { setting: 'phones.openRate' }],
    ['PATCH', '/control/settings', '{"__proto__":{"a":1}}', 400, { setting: '__proto__' }],
    ['PATCH', '/control/settings', '{', 400, { code: 'MALFORMED_JSON' }],
    ['PATCH', '/control/settings', '[]', 400, { code: 'BAD_BODY' }],
    ['PATCH', '/control/settings', ' '.repeat(70_000), 413, { code: 'BODY_TOO_LARGE' }],
    ['POST', '/control/tokens', '{"token":"t","state":"DEAD"}', 400, { code: 'BAD_BODY' }],
    ['POST', '/control/phones/last', '{}', 400, { code: 'BAD_BODY' }],
    ['POST', '/control/drain?timeoutMs=-1', '', 400, { code: 'BAD_QUERY' }],
    ['GET', '/control/timeline', undefined, 400, { code: 'BAD_QUERY' }],
    ['GET', '/control/timeline?alert=A&kind=x', undefined, 400, { code: 'BAD_QUERY' }],
    ['GET', '/control/nothing', undefined, 404, { code: 'NO_SUCH_PATH' }],
    ['GET', '/constructor', undefined, 404, { code: 'NO_SUCH_PATH' }],
  ])('refuses %s %s (%#)', async (method, path, body, status, error) => {
    const sim = await simulator();
    const before = sim.settings();
    expect(await control(sim, method, path, body)).toMatchObject([status, { error }]);
    expect(sim.settings()).toEqual(before);
  });
});

describe('the process', () => {
  const main = fileURLToPath(new URL('../apps/fcm-simulator/src/main.ts', import.meta.url));

  async function start(...flags: string[]): Promise<{ child: ChildProcess; ready: Record<string, string> }> {
    const args = [main, '--dir', await scratchDir(), ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    onCleanUp(() => Promise.resolve(void child.kill('SIGKILL')));
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    return { child, ready: JSON.parse(line.toString('utf8')) as Record<string, string> };
  }

  it('says where it is, takes its flags, and ends on SIGTERM', async () => {
    const { child, ready } = await start('--quota-per-minute', '30', '--fault', 'reset=0.5', '--latency', '1,2');
    expect(ready).toMatchObject({
      ready: true,
      project: 'golden72-sim',
      credentials: expect.stringMatching(/\.json$/),
    });
    expect(ready['fcm']).toMatch(/^https:\/\/localhost:\d+$/);
    const settings: unknown = await (await fetch(`${ready['control']}/control/settings`)).json();
    expect(settings).toMatchObject({ quotaPerMinute: 30, faults: { reset: 0.5 }, latencyMs: { min: 1, max: 2 } });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends when its parent is gone', async () => {
    const { child } = await start();
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('names a bad setting and exits 1', async () => {
    const args = [main, '--dir', await scratchDir(), '--unregistered-rate', '3'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const events = [once(child.stderr, 'data'), once(child, 'exit')] as const;
    const [[text], [code]] = (await Promise.all(events)) as [[Buffer], [number]];
    expect(code).toBe(1);
    expect(String(text)).toContain('unregisteredRate');
  });
});
