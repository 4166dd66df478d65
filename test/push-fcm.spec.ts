import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createFcmGateway, type FcmEvent, type FcmOptions, type PushGateway, type PushMessage } from '#push';
import { startSimulator, type SettingsPatch, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import {
  heldOpen,
  named,
  pushGatewayContract,
  pushMessage,
  pushMessages,
  tally,
  until,
  type ProviderMood,
} from './push-gateway.contract.ts';

const WELL: SettingsPatch = {
  quotaPerMinute: 0,
  latencyMs: { min: 0, max: 0 },
  down: false,
  ambiguousDelivered: 0,
  faults: { unavailable: 0, internal: 0, quota429: 0, timeout: 0, malformed: 0, reset: 0 },
};
const MOODS: Record<ProviderMood, SettingsPatch> = {
  well: {},
  slow: { latencyMs: { min: 200, max: 200 } },
  failing: { faults: { unavailable: 1 } },
  silent: { faults: { timeout: 1 } },
  garbling: { faults: { malformed: 1 } },
  gone: { down: 'refuse' },
};
const MESSAGE_NAME = '{"name":"projects/p/messages/0:1"}';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'push-fcm-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

async function simulate(): Promise<Simulator> {
  const simulator = await startSimulator({ dir, settings: { ...WELL, phones: { receiveRate: 1 } } });
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = simulator.credentialsPath;
  // Without it Google's library starts the gcloud command to find out.
  process.env['GOOGLE_CLOUD_PROJECT'] = simulator.project;
  return simulator;
}

function gatewayTo(endpoint: string, options: Partial<FcmOptions> = {}): PushGateway {
  return createFcmGateway({ projectId: 'golden72-sim', endpoint, caFile: join(dir, 'ca.pem'), ...options });
}

const fixedCredential = (token: string) => () => ({
  getAccessToken: async () => ({ access_token: token, expires_in: 3600 }),
});

const names = async (gateway: PushGateway, messages: readonly PushMessage[]) =>
  (await gateway.send('real', messages)).map(named);

pushGatewayContract('FCM', async () => {
  const simulator = await simulate();
  return {
    gateway: gatewayTo(simulator.fcmUrl, { requestTimeoutMs: 3000, maxSessions: 1 }),
    gatewayToPeople: () => createFcmGateway({ projectId: 'golden72-sim', warmSessions: 0 }),
    mood: async (mood) => void (await simulator.configure({ ...WELL, ...MOODS[mood] })),
    doom: (token, fate) =>
      simulator.setTokenState(token, fate === 'unregistered' ? 'UNREGISTERED' : 'SENDER_ID_MISMATCH'),
    books: (alertId) => ({ ...simulator.alertStats(alertId), openConnections: simulator.stats().openSessions }),
    requests: () => simulator.stats().requests,
    close: () => simulator.close(),
  };
});

describe('FCM, simulated', () => {
  let simulator: Simulator;
  let gateway: PushGateway;
  beforeEach(async () => {
    simulator = await simulate();
  });
  afterEach(async () => {
    await gateway.close();
    await simulator.close();
  });

  /** Answers are slow until there are so many connections: a machine that has no time opens them late, but it opens them. */
  async function namesWhileItGrowsTo(sessions: number, messages: readonly PushMessage[]): Promise<string[]> {
    await simulator.configure({ latencyMs: { min: 1000, max: 1000 } });
    const sent = names(gateway, messages);
    await until(() => simulator.stats().sessions === sessions);
    await simulator.configure({ latencyMs: { min: 0, max: 0 } });
    return sent;
  }

  it('is connected and signed in before the first message', async () => {
    gateway = gatewayTo(simulator.fcmUrl, { warmSessions: 2 });
    await until(() => simulator.stats().openSessions === 2);
    expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
    expect(simulator.stats().sessions).toBe(2);
  });

  it('leaves nothing behind of a connection that the server has ended', async () => {
    const before = heldOpen();
    gateway = gatewayTo(simulator.fcmUrl, { pingTimeoutMs: 30_000 });
    await until(() => simulator.stats().openSessions === 1);
    simulator.dropSessions();
    await until(() => simulator.stats().sessions === 2);
    await gateway.close();
    await until(() => heldOpen() <= before);
  });

  it('shows a phone every key it reads, and the newer version in place of the older', async () => {
    gateway = gatewayTo(simulator.fcmUrl);
    for (const n of [0, 1]) {
      const older = pushMessage(n, { photo: 'https://golden72.example/p/x7k2m9' });
      const newer = { ...older, kind: 'found' as const, version: 2, sound: 'silent' as const, photo: null };
      expect(await names(gateway, [older])).toEqual(['accepted']);
      expect(await names(gateway, [newer])).toEqual(['accepted']);
      await until(() => simulator.shownBy(older.token)[0]?.['version'] === '2');
      const [shown, ...others] = simulator.shownBy(older.token);
      const { slug, title, body, area, link } = newer;
      const keys = { kind: 'found', alert: 'alert-1', slug, version: '2', ref: `ref-${n}`, title, body, area, link };
      expect(shown).toMatchObject({ ...keys, band: '0', sound: 'silent', expires: newer.expiresAt.toISOString() });
      expect(shown).not.toHaveProperty('photo');
      expect(others).toEqual([]);
    }
  });

  it('opens sessions as messages wait, within its bound and 100 streams each', async () => {
    gateway = gatewayTo(simulator.fcmUrl, { maxSessions: 4, patienceMs: 20 });
    expect(tally(await namesWhileItGrowsTo(4, pushMessages(900)))).toEqual({ accepted: 900 });
    expect(simulator.stats()).toMatchObject({ sessions: 4, maxConcurrentStreams: 100, duplicates: 0 });
  });

  it('opens no second session where the first serves all soon', async () => {
    gateway = gatewayTo(simulator.fcmUrl, { maxSessions: 4, patienceMs: 5000 });
    expect(tally(await names(gateway, pushMessages(900)))).toEqual({ accepted: 900 });
    expect(simulator.stats()).toMatchObject({ sessions: 1, maxConcurrentStreams: 100 });
  });

  it('opens no second session where it is itself what has no time', async () => {
    await simulator.configure({ latencyMs: { min: 100, max: 100 } });
    gateway = gatewayTo(simulator.fcmUrl, { maxSessions: 4, patienceMs: 20 });
    let busy = true;
    const work = () => void (busy && setImmediate(work));
    work();
    try {
      expect(tally(await names(gateway, pushMessages(400)))).toEqual({ accepted: 400 });
    } finally {
      busy = false;
    }
    expect(simulator.stats()).toMatchObject({ sessions: 1, maxConcurrentStreams: 100 });
  });

  it('closes the sessions it no longer needs', async () => {
    gateway = gatewayTo(simulator.fcmUrl, { maxSessions: 4, patienceMs: 20, reviewEveryMs: 100 });
    expect(tally(await namesWhileItGrowsTo(4, pushMessages(900)))).toEqual({ accepted: 900 });
    await until(() => simulator.stats().openSessions === 1);
  });

  it('loses nothing to a graceful GOAWAY', async () => {
    await simulator.configure({ goawayEvery: 70, latencyMs: { min: 0, max: 20 } });
    gateway = gatewayTo(simulator.fcmUrl);
    const outcomes = await Promise.all(
      [0, 1, 2, 3, 4].map((call) => names(gateway, pushMessages(100, { alertId: `${call}` }))),
    );
    // What the server refused while it was leaving is safe to send again.
    const refused = outcomes.flatMap((ofCall, call) =>
      pushMessages(100, { alertId: `${call}` }).filter((_, n) => ofCall[n] === 'retry REFUSED_STREAM'),
    );
    const counts = tally(outcomes.flat());
    expect((counts['accepted'] ?? 0) + refused.length).toBe(500);
    expect(simulator.stats().goaways).toBeGreaterThanOrEqual(5);
    await simulator.configure({ goawayEvery: 0 });
    expect(tally(await names(gateway, refused))).toEqual(refused.length === 0 ? {} : { accepted: refused.length });
    expect(simulator.stats()).toMatchObject({ accepted: 500, duplicates: 0 });
  });

  it('has retried exactly what an abrupt GOAWAY disowned', async () => {
    await simulator.configure({ goawayEvery: 80, goawayKind: 'abrupt', latencyMs: { min: 5, max: 60 } });
    gateway = gatewayTo(simulator.fcmUrl);
    // The server disowns only what is later than something it has answered.
    expect(await names(gateway, pushMessages(1, { alertId: 'first' }))).toEqual(['accepted']);
    const messages = pushMessages(300);
    const outcomes = await names(gateway, messages);
    const refused = messages.filter((_, n) => outcomes[n] === 'retry REFUSED_STREAM');
    expect(refused.length).toBeGreaterThan(0);
    expect(tally(outcomes)).toEqual({ accepted: 300 - refused.length, 'retry REFUSED_STREAM': refused.length });
    expect(simulator.stats().unanswered.refused).toBe(refused.length);
    await simulator.configure({ goawayEvery: 0 });
    expect(tally(await names(gateway, refused))).toEqual({ accepted: refused.length });
    expect(simulator.alertStats('alert-1')).toMatchObject({ accepted: 300, distinctTokens: 300, duplicates: 0 });
  });

  it('does not know of what was on a session that broke, and sends the rest on another', async () => {
    await simulator.configure({ latencyMs: { min: 300, max: 300 } });
    gateway = gatewayTo(simulator.fcmUrl, { maxSessions: 1 });
    const sending = names(gateway, pushMessages(250));
    await until(() => simulator.stats().unanswered.inFlight === 100);
    simulator.dropSessions();
    const outcomes = await sending;
    const sent = outcomes.slice(0, 100).map((outcome) => outcome.split(' ')[0]);
    expect(sent).toEqual(Array(100).fill('unknown'));
    expect(tally(outcomes.slice(100))).toEqual({ accepted: 150 });
  });

  it('signs in anew when its token is refused before its time', async () => {
    gateway = gatewayTo(simulator.fcmUrl);
    expect(await names(gateway, pushMessages(2))).toEqual(['accepted', 'accepted']);
    simulator.revokeBearers();
    expect(tally(await names(gateway, pushMessages(100)))).toEqual({ 'retry UNAUTHENTICATED': 100 });
    expect(tally(await names(gateway, pushMessages(100)))).toEqual({ accepted: 100 });
  });

  it('renews a token before it expires', async () => {
    await simulator.configure({ tokenLifetimeSeconds: 2 });
    gateway = gatewayTo(simulator.fcmUrl);
    expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
    // Issued after the gateway's first token, and never renewed: once it is refused, so is that one.
    const credential = fixedCredential(simulator.issueBearer());
    const unrenewed = gatewayTo(simulator.fcmUrl, { credential });
    await until(async () => {
      expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
      return (await names(unrenewed, [pushMessage(1)]))[0] === 'retry UNAUTHENTICATED';
    });
    expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
    await unrenewed.close();
  });

  it('passes Retry-After on', async () => {
    await simulator.configure({ faults: { quota429: 0.5, unavailable: 0.5 }, retryAfterSeconds: 7 });
    gateway = gatewayTo(simulator.fcmUrl);
    const outcomes = await gateway.send('real', pushMessages(60));
    expect(Object.keys(tally(outcomes.map(named))).sort()).toEqual(['retry QUOTA_EXCEEDED', 'retry UNAVAILABLE']);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ afterMs: 7000 });
  });

  it('agrees with the provider’s books under every fault at once', async () => {
    const faults = { unavailable: 0.1, internal: 0.1, quota429: 0.1, malformed: 0.1, reset: 0.1, timeout: 0.02 };
    const rates = { unregisteredRate: 0.1, invalidRate: 0.05, senderMismatchRate: 0.05, thirdPartyAuthRate: 0.05 };
    await simulator.configure({ faults, ...rates });
    gateway = gatewayTo(simulator.fcmUrl, { requestTimeoutMs: 3000 });
    const counts = tally(await names(gateway, pushMessages(1000)));
    const { accepted, byError, unanswered } = simulator.stats();
    expect(counts).toEqual({
      accepted,
      unregistered: byError['UNREGISTERED'],
      'rejected INVALID_ARGUMENT': byError['INVALID_ARGUMENT'],
      'rejected SENDER_ID_MISMATCH': byError['SENDER_ID_MISMATCH'],
      'rejected THIRD_PARTY_AUTH_ERROR': byError['THIRD_PARTY_AUTH_ERROR'],
      'retry UNAVAILABLE': byError['UNAVAILABLE'],
      'retry INTERNAL': byError['INTERNAL'],
      'retry QUOTA_EXCEEDED': byError['QUOTA_EXCEEDED'],
      'unknown MALFORMED_ANSWER': unanswered.malformed,
      'unknown STREAM_RESET': unanswered.reset,
      'unknown TIMEOUT': unanswered.timeout,
    });
  });

  it('fits any text into what FCM takes', async () => {
    gateway = gatewayTo(simulator.fcmUrl);
    const texts = ['孩', '👨‍👩‍👧', '"\\', '\u0001', 'ع ', 'x'].map((unit) => unit.repeat(5000));
    const messages = texts.flatMap((text, n) => [
      pushMessage(6 * n, { title: text, body: text }),
      pushMessage(6 * n + 1, { title: text, body: text }),
    ]);
    expect(tally(await names(gateway, messages))).toEqual({ accepted: messages.length });
  });

  it('has retried at once, with the time to wait, while it cannot connect', async () => {
    await simulator.configure({ down: 'refuse' });
    gateway = gatewayTo(simulator.fcmUrl, { backoffMs: 3_600_000, maxBackoffMs: 3_600_000 });
    await until(async () => (await names(gateway, pushMessages(1)))[0] === 'retry UNREACHABLE');
    const [outcome] = await gateway.send('real', pushMessages(1));
    expect(outcome).toMatchObject({ outcome: 'retry', code: 'UNREACHABLE', afterMs: expect.any(Number) });
  });

  it('tells of connections and credentials, and of no message', async () => {
    const events: FcmEvent[] = [];
    gateway = gatewayTo(simulator.fcmUrl, { onEvent: (event) => events.push(event) });
    const secret = pushMessage(1);
    await names(gateway, [secret]);
    simulator.dropSessions();
    await until(() => events.filter(({ event }) => event === 'opened').length === 2);
    expect(events.map(({ event }) => event)).toEqual(['opened', 'retired', 'opened']);
    expect(JSON.stringify(events)).not.toMatch(/sim:|走失|invented|ref-/);
  });

  it('tells of refused and of unforeseen messages by number and kind alone', async () => {
    const events: FcmEvent[] = [];
    gateway = gatewayTo(simulator.fcmUrl, { onEvent: (event) => events.push(event) });
    const strangers = [1, 2].map((n) => pushMessage(n, { token: `someone:${n}` }));
    await gateway.send('demo', [...strangers, pushMessage(3, { expiresAt: new Date(Number.NaN) })]);
    expect(events).toContainEqual({ event: 'refused', messages: 2 });
    expect(events).toContainEqual({ event: 'unexpected', reason: 'RangeError' });
    expect(JSON.stringify(events)).not.toMatch(/someone|sim:|走失|ref-/);
  });

  it('has retried when it cannot sign in', async () => {
    const events: FcmEvent[] = [];
    const credential = () => ({ getAccessToken: () => Promise.reject(new TypeError('a private key')) });
    gateway = gatewayTo(simulator.fcmUrl, { credential, onEvent: (event) => events.push(event) });
    expect(await names(gateway, pushMessages(2))).toEqual(['retry NO_CREDENTIALS', 'retry NO_CREDENTIALS']);
    expect(events).toContainEqual({ event: 'no-credentials', reason: 'TypeError' });
    expect(await gateway.canSend()).toBe(false);
    expect(JSON.stringify(events)).not.toContain('private key');
  });
});

describe('FCM, scripted', () => {
  let server: Http2SecureServer;
  let gateway: PushGateway;
  const streams: ServerHttp2Stream[] = [];
  const sockets = new Set<Socket>();

  /** A server that does with each request what it is told, when its body is in. */
  async function serve(
    act: (stream: ServerHttp2Stream, body: string) => void,
    maxConcurrentStreams = 100,
  ): Promise<string> {
    const [cert, key] = await Promise.all(['ca.pem', 'key.pem'].map((file) => readFile(join(dir, file))));
    server = createSecureServer({ cert, key, settings: { maxConcurrentStreams } } as Parameters<
      typeof createSecureServer
    >[0]);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    });
    server.on('session', (session) => session.on('error', () => {}));
    server.on('stream', (stream) => {
      streams.push(stream);
      let body = '';
      stream.setEncoding('utf8').on('data', (text: string) => (body += text));
      stream.on('error', () => {}).on('end', () => act(stream, body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `https://localhost:${(server.address() as AddressInfo).port}`;
  }

  const accept = (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 });
    stream.end(MESSAGE_NAME);
  };
  const open = (endpoint: string, options: Partial<FcmOptions> = {}) =>
    gatewayTo(endpoint, { credential: fixedCredential('ya29.invented'), requestTimeoutMs: 1500, ...options });

  beforeAll(async () => {
    await (await simulate()).close();
  });
  afterEach(async () => {
    await gateway.close();
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    streams.length = 0;
  });

  it('posts JSON of the length it states, with its bearer, to its project', async () => {
    const bodies: string[] = [];
    const headers: Record<string, unknown>[] = [];
    const endpoint = await serve((stream, body) => {
      bodies.push(body);
      accept(stream);
    });
    server.on('stream', (_stream, received) => headers.push(Object.fromEntries(Object.entries(received))));
    gateway = open(endpoint, { projectId: 'a project/1' });
    expect(await names(gateway, pushMessages(2))).toEqual(['accepted', 'accepted']);
    expect(headers).toEqual(
      bodies.map((body) => ({
        ':method': 'POST',
        ':scheme': 'https',
        ':authority': endpoint.slice('https://'.length),
        ':path': '/v1/projects/a%20project%2F1/messages:send',
        authorization: 'Bearer ya29.invented',
        'content-type': 'application/json',
        'content-length': `${Buffer.byteLength(body)}`,
      })),
    );
  });

  it('opens no more streams than the server allows, and another session instead', async () => {
    const held: ServerHttp2Stream[] = [];
    const endpoint = await serve((stream) => {
      held.push(stream);
      if (held.length >= 14) for (const each of held.splice(0)) accept(each);
    }, 7);
    gateway = open(endpoint, { maxSessions: 2 });
    expect(tally(await names(gateway, pushMessages(70)))).toEqual({ accepted: 70 });
  });

  it('has retried what the server refused, and does not know of what it reset', async () => {
    const codes = [constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_INTERNAL_ERROR];
    const endpoint = await serve((stream, body) => stream.close(codes[body.includes('"ref-0"') ? 0 : 1]));
    gateway = open(endpoint);
    expect(await names(gateway, pushMessages(2))).toEqual(['retry REFUSED_STREAM', 'unknown STREAM_RESET']);
  });

  it('gives nothing new to a connection after a silent end, before it has shown that it lives', async () => {
    let cuts = 0;
    const cut = () => {
      cuts++;
      for (const socket of sockets) socket.destroy();
    };
    const endpoint = await serve((stream) => {
      if (streams.length === 2) streams[0]?.close(constants.NGHTTP2_INTERNAL_ERROR);
      else if (streams.length === 3 && cuts === 0) cut();
      else if (cuts > 0) accept(stream);
    }, 2);
    server.on('session', (session) => session.on('ping', cut));
    gateway = open(endpoint, { maxSessions: 1 });
    const lost = ['unknown STREAM_RESET', 'unknown CONNECTION_LOST'];
    expect(await names(gateway, pushMessages(3))).toEqual([...lost, 'accepted']);
  });

  it('has retried what a session would not take, and sends the rest on another', async () => {
    const events: FcmEvent[] = [];
    gateway = open(await serve(accept), { onEvent: (event) => events.push(event) });
    expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
    const failing = failingRequest(Object.assign(new TypeError('of ref-1'), { code: 'ERR_INVENTED' }));
    try {
      expect(await names(gateway, pushMessages(3))).toEqual(['retry NOT_SENT', 'accepted', 'accepted']);
    } finally {
      failing.mockRestore();
    }
    expect(events).toContainEqual({ event: 'retired', reason: 'ERR_INVENTED', opened: true });
  });

  it('does not know of what was sent when the connection is cut', async () => {
    const endpoint = await serve(() => {
      if (streams.length === 3) for (const socket of sockets) socket.destroy();
    });
    gateway = open(endpoint);
    expect(await names(gateway, pushMessages(3))).toEqual(Array(3).fill('unknown CONNECTION_LOST'));
  });

  it('has retried what was above a GOAWAY that names an error, and does not know of the rest', async () => {
    const endpoint = await serve((stream) => {
      if (streams.length === 3) stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, streams[0]?.id ?? 0);
    });
    gateway = open(endpoint);
    const outcomes = await names(gateway, pushMessages(3));
    expect(outcomes[0]).toMatch(/^unknown /);
    expect(outcomes.slice(1)).toEqual(['retry REFUSED_STREAM', 'retry REFUSED_STREAM']);
  });

  it('gives up on an answer that drips, and goes by an error’s status', async () => {
    const endpoint = await serve((stream, body) => {
      stream.respond({ ':status': body.includes('"ref-0"') ? 200 : 503 });
      stream.write('{');
    });
    gateway = open(endpoint, { requestTimeoutMs: 300 });
    expect(await names(gateway, pushMessages(2))).toEqual(['unknown TIMEOUT', 'retry HTTP_503']);
  });

  it('reads no endless answer', async () => {
    const endpoint = await serve((stream) => {
      stream.respond({ ':status': 200 });
      const pour = () => {
        while (!stream.closed && stream.write('x'.repeat(16_384)));
      };
      stream.on('drain', pour);
      pour();
    });
    gateway = open(endpoint, { requestTimeoutMs: 60_000 });
    expect(await names(gateway, pushMessages(1))).toEqual(['unknown MALFORMED_ANSWER']);
  });

  it('leaves a connection that died in silence for a new one', async () => {
    const endpoint = await serve(accept);
    const relay = await startRelay(Number(new URL(endpoint).port));
    gateway = open(relay.endpoint, { requestTimeoutMs: 300, pingTimeoutMs: 300, maxSessions: 1 });
    expect(await names(gateway, pushMessages(1))).toEqual(['accepted']);
    relay.fallSilent();
    expect(await names(gateway, pushMessages(1))).toEqual(['unknown TIMEOUT']);
    await until(async () => (await names(gateway, pushMessages(1)))[0] === 'accepted');
    await gateway.close();
    await relay.close();
  });

  it('waits for no farewell of a connection that died after its GOAWAY', async () => {
    const endpoint = await serve((stream) => stream.session?.goaway(constants.NGHTTP2_NO_ERROR));
    const relay = await startRelay(Number(new URL(endpoint).port));
    const events: FcmEvent[] = [];
    const onEvent = (event: FcmEvent) => events.push(event);
    gateway = open(relay.endpoint, { requestTimeoutMs: 300, pingTimeoutMs: 300, onEvent });
    const sending = names(gateway, pushMessages(1));
    await until(() => events.some(({ event }) => event === 'retired'));
    relay.fallSilent();
    expect(await sending).toEqual(['unknown TIMEOUT']);
    expect(events).toContainEqual({ event: 'retired', reason: 'GOAWAY', opened: true });
    await gateway.close();
    await relay.close();
  });

  it('notices that an idle connection died', async () => {
    const endpoint = await serve(accept);
    const relay = await startRelay(Number(new URL(endpoint).port));
    const events: FcmEvent[] = [];
    const onEvent = (event: FcmEvent) => events.push(event);
    gateway = open(relay.endpoint, { pingEveryMs: 100, pingTimeoutMs: 200, onEvent });
    await until(() => events.length === 1);
    relay.fallSilent();
    await until(() => events.length >= 3);
    expect(events.slice(0, 3)).toEqual([
      { event: 'opened' },
      { event: 'retired', reason: 'PING_TIMEOUT', opened: true },
      { event: 'opened' },
    ]);
    await gateway.close();
    await relay.close();
  });
});

describe('an FCM endpoint that takes connections and says nothing', () => {
  let relay: Relay;
  beforeEach(async () => {
    await (await simulate()).close();
    relay = await startRelay(0);
    relay.fallSilent(true);
  });
  afterEach(() => relay.close());

  const open = (options: Partial<FcmOptions>) =>
    gatewayTo(relay.endpoint, { credential: fixedCredential('ya29.invented'), ...options });

  it('is given up, and the messages are to be retried', async () => {
    const gateway = open({ connectTimeoutMs: 200, backoffMs: 60_000, maxBackoffMs: 60_000 });
    expect(await names(gateway, pushMessages(150))).toEqual(Array(150).fill('retry UNREACHABLE'));
    await gateway.close();
  });

  it('keeps no message waiting longer than an answer may take', async () => {
    const gateway = open({ connectTimeoutMs: 60_000, requestTimeoutMs: 200 });
    expect(await names(gateway, pushMessages(2))).toEqual(Array(2).fill('retry NO_ROOM'));
    await gateway.close();
  });

  it('holds up no closing', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const gateway = open({ connectTimeoutMs: 60_000 });
    const sending = names(gateway, pushMessages(2));
    await until(() => relay.connections() === 1);
    await gateway.close();
    expect(await sending).toEqual(Array(2).fill('retry CLOSED'));
    await until(() => relay.connections() === 0);
    expect(timers()).toBeLessThanOrEqual(before);
  });
});

describe('an FCM endpoint', () => {
  it.each(['http://localhost:1', 'https://localhost:1/v1', 'localhost'])('%s is refused', (endpoint) => {
    expect(() => gatewayTo(endpoint)).toThrow(TypeError);
  });

  it.each(['https://fcm.googleapis.com', 'https://FCM.GoogleApis.com.', 'https://fcm.googleapis.com:443'])(
    '%s reaches people',
    async (endpoint) => {
      const gateway = createFcmGateway({ projectId: 'p', endpoint, warmSessions: 0 });
      const outcomes = await gateway.send('demo', pushMessages(1));
      expect(outcomes).toEqual([{ outcome: 'rejected', code: 'REAL_PROVIDER_OUTSIDE_REAL_MODE' }]);
      await gateway.close();
    },
  );
});

/** Makes the next request on any session of this process throw. */
function failingRequest(error: Error) {
  const session = connectHttp2('https://localhost:1', { createConnection: () => new PassThrough() });
  const prototype = Object.getPrototypeOf(session) as ClientHttp2Session;
  session.on('error', () => {}).destroy();
  return jest.spyOn(prototype, 'request').mockImplementationOnce(() => {
    throw error;
  });
}

interface Relay {
  readonly endpoint: string;
  /** Connections made so far carry nothing any more and stay open; new ones are carried, unless `always`. */
  fallSilent(always?: boolean): void;
  connections(): number;
  close(): Promise<void>;
}

async function startRelay(port: number): Promise<Relay> {
  const pairs = new Set<[Socket, Socket?]>();
  let mute = false;
  // Half open, so that a silent one does not even answer the end of a connection.
  const relay: Server = createServer({ allowHalfOpen: true }, (from) => {
    const to = mute ? undefined : connect(port, '127.0.0.1');
    const pair: [Socket, Socket?] = to === undefined ? [from] : [from, to];
    pairs.add(pair);
    from.on('error', () => {}).on('close', () => pairs.delete(pair));
    if (to === undefined) return void from.resume();
    from.pipe(to.on('error', () => {}));
    to.pipe(from);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    endpoint: `https://localhost:${(relay.address() as AddressInfo).port}`,
    connections: () => [...pairs].filter(([from]) => !from.readableEnded && !from.destroyed).length,
    fallSilent: (always = false) => {
      mute = always;
      for (const [from, to] of pairs) {
        from.unpipe(to).resume();
        to?.unpipe(from).resume();
      }
    },
    close: async () => {
      const closed = once(relay, 'close');
      relay.close();
      for (const pair of pairs) for (const socket of pair) socket?.destroy();
      await closed;
    },
  };
}
