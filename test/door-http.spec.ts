import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { FLOOD, fastifyAdapter, MAX_HEADER_FIELDS, ObservabilityListener, REDIS } from '#platform';
import { CALM, RATE_LIMITS } from '../apps/api/src/callers/rate-limits.ts';
import { FAULT_ANSWERS } from '../apps/api/src/problem.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { redisUrl } from './harness/env.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { sendRaw } from './harness/raw.ts';

/** Hundredths of the product's limits, so that a test gets there. */
const FACTOR = 0.01;
const pointsOf = (kind: keyof typeof RATE_LIMITS) => Math.ceil(RATE_LIMITS[kind].points * FACTOR);

const REGISTRATION = { provider: 'fcm', platform: 'android', token: 'sim:door', language: 'en' };

describe('the door', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database?.drop();
  });

  describe('of the api', () => {
    let api: TestApi;

    beforeAll(async () => {
      api = await startApi({ databaseUrl: database.url, API_URL: 'https://api.police.example' });
    });

    afterAll(async () => {
      await api?.close();
    });

    const HEADERS = {
      'content-security-policy': `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    };

    it('has the same guard on answers, refusals, foreign sites and unknown addresses, and no banner', async () => {
      const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
      const answers = await Promise.all([
        call(api.url, 'GET', '/healthz'),
        call(api.url, 'GET', '/openapi.json'),
        call(api.url, 'GET', '/v1/session'),
        call(api.url, 'GET', '/nowhere'),
        call(api.url, 'POST', '/v1/session', { json: { login: 'a' } }),
        call(api.url, 'POST', '/v1/session', { json: { login: 'a' }, headers: foreign }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 404, 400, 403]);
      for (const { headers } of answers) {
        expect(Object.fromEntries(headers)).toMatchObject(HEADERS);
        expect(headers.get('permissions-policy')).toContain('geolocation=()');
        expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
      }
    });

    it('keeps it where no hook is asked', async () => {
      const answers = [
        await sendRaw(api.url, 'NONSENSE / HTTP/1.1\r\nhost: x\r\n\r\n'),
        await sendRaw(api.url, 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
      ];
      for (const { status, headers } of answers) {
        expect(status).toBe(400);
        expect(headers.get('content-security-policy')).toBe(HEADERS['content-security-policy']);
      }
    });

    it('promises https only where officers come by https', async () => {
      const plain = await startApi({ databaseUrl: database.url });
      try {
        expect((await call(plain.url, 'GET', '/healthz')).headers.has('strict-transport-security')).toBe(false);
      } finally {
        await plain.close();
      }
    });

    it('refuses a header of too many fields, whichever way it is asked', async () => {
      const fields = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: 1\r\n`).join('');
      const ask = (count: number) =>
        sendRaw(api.url, `GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${fields(count)}\r\n`);
      expect((await ask(MAX_HEADER_FIELDS - 2)).status).toBe(200);
      const refused = await ask(MAX_HEADER_FIELDS);
      expect(refused.status).toBe(431);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'header_too_large' });
    });

    const wide = JSON.stringify({ items: Array<number>(60_000).fill(0) });
    const keys = JSON.stringify(Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`key${i}`, 0])));
    it.each([
      ['deep', `{"items":${'['.repeat(120_000)}${']'.repeat(120_000)}}`, 400],
      ['wide', wide, 400],
      ['of many keys', keys, 400],
      ['large', JSON.stringify({ items: 'a'.repeat(300_000) }), 413],
    ])('refuses JSON that is %s, and still serves', async (_, body, status) => {
      const json = { 'content-type': 'application/json' };
      expect((await call(api.url, 'POST', '/v1/receipts', { body, headers: json })).status).toBe(status);
      expect((await call(api.url, 'GET', '/healthz')).status).toBe(200);
    });

    const part = (name: string, more = '') => `--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n`;
    it.each([
      ['many fields', Array.from({ length: 200 }, (_, i) => `${part(`f${i}`)}\r\nx\r\n`).join('')],
      ['many files', Array.from({ length: 50 }, () => `${part('photo', '; filename="a.jpg"')}\r\nx\r\n`).join('')],
      ['a part of many headers', `${part('sighting')}${'x-a: 1\r\n'.repeat(5_000)}\r\n{}\r\n`],
      ['a part without end', `${part('sighting')}\r\n${'x'.repeat(100_000)}`],
    ])('refuses a form with %s', async (_, parts) => {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      const path = '/v1/alerts/AAAAAAAAAAAA/sightings';
      const answer = await call(api.url, 'POST', path, { body: `${parts}--b--\r\n`, headers });
      expect([400, 404, 413]).toContain(answer.status);
      expect((await call(api.url, 'GET', '/healthz')).status).toBe(200);
    });
  });

  describe('against those who only hold on', () => {
    const bounds = {
      headersMs: 150,
      requestMs: 300,
      checkEveryMs: 30,
      idleMs: 5_000,
      keepAliveMs: { direct: 150, behindProxy: 150 },
      connections: 8,
      requestsPerConnection: 3,
    };
    const adapter = fastifyAdapter({ TRUST_PROXY: false }, FAULT_ANSWERS, bounds);
    const server = adapter.getInstance();
    let url: string;

    beforeAll(async () => {
      server.post('/', (_request, reply) => void reply.send('ok'));
      server.get('/', (_request, reply) => void reply.send('ok'));
      url = await server.listen({ port: 0, host: '127.0.0.1' });
    });

    afterAll(() => server.close());

    it.each([
      ['says nothing', '', 408],
      ['drips a header', 'GET / HTTP/1.1\r\nhost: x\r\nx-drip: a', 408],
      [
        'drips a body',
        'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
        408,
      ],
      ['keeps a connection it does not use', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', 200],
    ])('cuts off who %s', async (_, bytes, status) => {
      // The answer is whole when the server has closed: sendRaw waits for that.
      expect((await sendRaw(url, bytes)).status).toBe(status);
    });

    it('closes a connection after its share of requests', async () => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5));
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'close');
      expect(
        Buffer.concat(chunks)
          .toString()
          .match(/HTTP\/1.1 200/g),
      ).toHaveLength(3);
    });

    it('takes no more connections than it can hold', async () => {
      const { hostname, port } = new URL(url);
      const sockets = Array.from({ length: bounds.connections }, () => connect(Number(port), hostname));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const [answered] = sockets;
      answered?.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      // By now all of them are accepted, for they are in order.
      await once(answered as (typeof sockets)[number], 'data');
      const late = connect(Number(port), hostname);
      await once(late.resume(), 'close');
      expect(late.bytesRead).toBe(0);
      for (const socket of sockets) socket.destroy();
    });
  });

  describe('counts', () => {
    let api: TestApi;

    beforeAll(async () => {
      api = await startApi({ databaseUrl: database.url, RATE_LIMIT_FACTOR: String(FACTOR), TRUST_PROXY: 'true' });
    });

    afterAll(async () => {
      await api?.close();
    });

    let networks = 0;
    /** A network that nobody has come from. */
    const from = () => ({ 'x-forwarded-for': `203.0.113.${++networks}` });

    const expectBounded = async (points: number, ask: () => ReturnType<typeof call>) => {
      for (let i = 0; i < points; i++) expect((await ask()).status).not.toBe(429);
      const refused = await ask();
      expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    };

    const newOfficer = async () => makeOfficer(api.app, { agencyId: await makeAgency(api.app), roles: ['liaison'] });

    it('each officer for themselves, however many addresses they have', async () => {
      const [first, second] = [await newOfficer(), await newOfficer()];
      const cookie = await signIn(api.url, first);
      await expectBounded(pointsOf('officer'), () => call(api.url, 'GET', '/v1/session', { cookie, headers: from() }));
      const other = await signIn(api.url, second);
      expect((await call(api.url, 'GET', '/v1/session', { cookie: other })).status).toBe(200);
    });

    it('each device for itself', async () => {
      const headers = from();
      const register = async (token: string) => {
        const json = { ...REGISTRATION, token };
        return (await call<{ secret: string }>(api.url, 'POST', '/v1/devices', { json, headers })).body.secret;
      };
      const [bearer, other] = [await register('sim:one'), await register('sim:two')];
      const leave = (secret: string) =>
        call(api.url, 'PUT', '/v1/devices/me/preferences', { bearer: secret, headers, json: {} });
      await expectBounded(pointsOf('device'), () => leave(bearer));
      expect((await leave(other)).status).not.toBe(429);
    });

    it('strangers by their network, also those of one /64', async () => {
      const subscriber = () => ({ 'x-forwarded-for': `2001:db8:1:2::${(++networks).toString(16)}` });
      const read = (headers: Record<string, string>) => call(api.url, 'GET', '/v1/alerts/AAAAAAAAAAAA', { headers });
      await expectBounded(pointsOf('network'), () => read(subscriber()));
      expect((await read(from())).status).toBe(404);
    });

    it('phones that one push woke behind one address one by one', async () => {
      const headers = from();
      const tell = (ref: string) =>
        call(api.url, 'POST', '/v1/receipts', { json: { items: [{ ref, kind: 'received' }] }, headers });
      for (let i = 0; i < 2 * pointsOf('network'); i++) expect((await tell(`phone-${i}`)).status).toBe(200);
      await expectBounded(pointsOf('recipient'), () => tell('one-phone'));
      const forward = () => call(api.url, 'POST', '/v1/forwards', { json: { ref: 'one-phone' }, headers });
      expect((await forward()).status).toBe(429);
    });

    it('junk credentials too, in a flood from one network, and nobody else’s requests', async () => {
      const headers = from();
      const guess = () => call(api.url, 'GET', '/v1/session', { cookie: 'g72_session=junk', headers });
      const points = Math.ceil(FLOOD.points * FACTOR);
      for (let i = 0; i < points; i += 50) {
        const statuses = (await Promise.all(Array.from({ length: 50 }, guess))).map(({ status }) => status);
        expect(new Set(statuses)).toEqual(new Set([401]));
      }
      expect((await guess()).status).toBe(429);
      expect((await call(api.url, 'GET', '/v1/session', { headers: from() })).status).toBe(401);
    });

    it('together with other processes, but for the calm share of each', async () => {
      const second = await startApi({
        databaseUrl: database.url,
        redisUrl: redisUrl(),
        RATE_LIMIT_FACTOR: String(FACTOR),
        TRUST_PROXY: 'true',
      });
      try {
        const headers = from();
        const read = (url: string) => call(url, 'GET', '/v1/alerts/AAAAAAAAAAAA', { headers });
        await expectBounded(pointsOf('network'), () => read(api.url));
        await expectBounded(Math.floor(pointsOf('network') * CALM), () => read(second.url));
      } finally {
        await second.close();
      }
    });

    it('and goes on counting while Redis is away', async () => {
      const headers = from();
      api.app.get<Redis>(REDIS, { strict: false }).disconnect();
      await expectBounded(pointsOf('network'), () => call(api.url, 'GET', '/v1/alerts/AAAAAAAAAAAA', { headers }));
    });
  });

  it('bounds the public page alike, with a page', async () => {
    const pages = await startPublic(database.url, { RATE_LIMIT_FACTOR: '0.01', TRUST_PROXY: 'true' });
    try {
      const headers = { 'x-forwarded-for': '203.0.113.250' };
      const ask = () => fetch(`${pages.url}/a/AAAAAAAAAAAA`, { headers });
      const points = Math.ceil(FLOOD.points * FACTOR);
      for (let i = 0; i < points; i += 50) {
        const answers = await Promise.all(Array.from({ length: 50 }, ask));
        await Promise.all(answers.map((answer) => answer.text()));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
      }
      const refused = await ask();
      expect(refused.status).toBe(429);
      expect(refused.headers.get('content-type')).toContain('text/html');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('content-security-policy')).toContain(`default-src 'none'`);
      expect(await refused.text()).toContain('</html>');
    } finally {
      await pages.close();
    }
  });

  it('takes in production only cookies that this host alone can have set', async () => {
    const SECRET_KEY = randomBytes(32).toString('base64');
    const api = await startApi({ databaseUrl: database.url, NODE_ENV: 'production', SECRET_KEY });
    try {
      const { login, password } = await makeOfficer(api.app, {
        agencyId: await makeAgency(api.app),
        roles: ['liaison'],
      });
      const opened = await call(api.url, 'POST', '/v1/session', { json: { login, password } });
      const lines = opened.headers.getSetCookie();
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(line).toMatch(/^__Host-g72_(?=.*; Path=\/(?:;|$))(?=.*; Secure)(?!.*Domain)/);
      const cookie = lines.find((line) => line.includes('session='))?.split(';', 1)[0] ?? '';
      const statusWith = async (sent: string) => (await call(api.url, 'GET', '/v1/session', { cookie: sent })).status;
      expect(await statusWith(cookie)).toBe(200);
      expect(await statusWith(cookie.replace('__Host-', ''))).toBe(401);
      expect(await statusWith(`${cookie.replace('__Host-', '')}x; ${cookie}`)).toBe(200);
      const closed = await call(api.url, 'DELETE', '/v1/session', { cookie });
      expect(closed.headers.getSetCookie().join()).toMatch(/^__Host-g72_session=;/);
    } finally {
      await api.close();
    }
  });

  describe('of what machines ask', () => {
    const PATHS = ['/healthz', '/readyz', '/metrics'];
    const statuses = (url: string) => Promise.all(PATHS.map(async (path) => (await fetch(new URL(path, url))).status));

    it('is a listener of its own, when it is given one', async () => {
      const api = await startApi({ databaseUrl: database.url, OBSERVABILITY_PORT: '0' });
      const pages: TestPublic = await startPublic(database.url, { OBSERVABILITY_PORT: '0' });
      try {
        for (const { app, url } of [api, pages]) {
          expect(await statuses(url)).toEqual([200, 404, 404]);
          const own = `http://127.0.0.1:${app.get(ObservabilityListener, { strict: false }).port}`;
          expect(await statuses(own)).toEqual([200, 200, 200]);
          expect((await fetch(`${own}/v1/session`)).status).toBe(404);
          expect(await (await fetch(`${own}/metrics`)).text()).toContain('golden72_http_request_seconds');
        }
      } finally {
        await api.close();
        await pages.close();
      }
    });

    it('is not for whoever reaches the main listener in production', async () => {
      const SECRET_KEY = randomBytes(32).toString('base64');
      const api = await startApi({ databaseUrl: database.url, NODE_ENV: 'production', SECRET_KEY });
      try {
        expect(await statuses(api.url)).toEqual([200, 404, 404]);
      } finally {
        await api.close();
      }
    });
  });
});
