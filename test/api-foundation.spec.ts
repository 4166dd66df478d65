import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AgencyKeys, type Actor } from '#access';
import { For, ForAgencyKeys, ForDevices, ForOfficers, Public } from '../apps/api/src/callers/audiences.ts';
import type { DeviceCaller } from '../apps/api/src/callers/caller.ts';
import { DEVICE_AUTHENTICATOR, type DeviceAuthenticator } from '../apps/api/src/callers/device-authenticator.ts';
import { CurrentActor, CurrentDevice, CurrentOfficer, IdempotencyKey } from '../apps/api/src/callers/parameters.ts';
import { PROBLEMS } from '../apps/api/src/problems.ts';
import { instant, lonLat, text, uuid } from '../apps/api/src/schemas/common.ts';
import { readUpload } from '../apps/api/src/upload.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { emptyRedis } from './harness/env.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { sendRaw, UNPARSABLE } from './harness/raw.ts';
import { until } from './harness/until.ts';

const noteBody = z.strictObject({ words: text(10), place: lonLat.optional(), at: instant.optional() });
const pageQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) });

@Controller('probe')
class ProbeController {
  @Post('notes')
  @Public()
  note(@Body({ schema: noteBody }) body: z.output<typeof noteBody>) {
    return body;
  }

  @Post('keyed')
  @Public()
  keyed(@IdempotencyKey() key: string) {
    return { key };
  }

  @Get('things/:id')
  @Public()
  thing(@Param('id', { schema: uuid }) id: string, @Query({ schema: pageQuery }) query: z.output<typeof pageQuery>) {
    return { id, ...query };
  }

  @Get('fault')
  @Public()
  fault() {
    throw new Error('secret words of a fault');
  }

  @Post('files')
  @Public()
  async file(@Req() request: FastifyRequest) {
    const { fields, file } = await readUpload(request, z.strictObject({ words: text(10).optional() }));
    return { ...fields, bytes: file?.length };
  }

  @Post('officers')
  @ForOfficers()
  officer(@CurrentOfficer() officer: Actor) {
    return officer;
  }

  @Get('devices')
  @ForDevices()
  device(@CurrentDevice() device: DeviceCaller) {
    return device;
  }

  @Get('keys')
  @ForAgencyKeys()
  key(@CurrentActor() actor: Actor) {
    return actor;
  }

  @Get('several')
  @For('officers', 'agency_keys')
  several(@CurrentActor() actor: Actor) {
    return actor;
  }
}

/** What a request without a credential is answered where one is needed. */
const CREDENTIAL_DEMANDED = new Set(['agency_key_invalid', 'device_invalid', 'session_invalid']);

const authenticator: DeviceAuthenticator = async (secret) => (secret === 'known' ? { id: 7 } : null);

@Module({
  controllers: [ProbeController],
  providers: [{ provide: DEVICE_AUTHENTICATOR, useValue: authenticator }],
})
class ProbeModule {}

describe('the api', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url, modules: [ProbeModule] });
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const post = (path: string, body: BodyInit, type = 'application/json') =>
    call(api.url, 'POST', path, { body, headers: { 'content-type': type } });
  const note = (json: unknown) => call(api.url, 'POST', '/probe/notes', { json });

  it('answers a problem in full', async () => {
    const answer = await call(api.url, 'GET', '/nowhere', { headers: { 'x-request-id': 'request-0001' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.body).toEqual({
      type: 'urn:golden72:problem:route_not_found',
      title: 'No such address',
      status: 404,
      detail: 'There is nothing at this address for this method.',
      code: 'route_not_found',
      instance: 'urn:golden72:request:request-0001',
    });
  });

  const raw: [string, () => Promise<{ status: number; body: Record<string, unknown> }>, string][] = [
    ['malformed JSON', () => post('/probe/notes', '{"words":'), 'malformed_json'],
    ['an empty JSON body', () => post('/probe/notes', ''), 'malformed_json'],
    ['JSON that is no object', () => note(null), 'invalid_request'],
    ['no body', () => call(api.url, 'POST', '/probe/notes'), 'invalid_request'],
    ['a poisoned prototype', () => post('/probe/notes', '{"words":"a","__proto__":{"x":1}}'), 'malformed_json'],
    ['a poisoned constructor', () => post('/probe/notes', '{"constructor":{"prototype":{}}}'), 'malformed_json'],
    ['JSON nested deeply', () => post('/probe/notes', '['.repeat(100_000) + ']'.repeat(100_000)), 'invalid_request'],
    ['another media type', () => post('/probe/notes', '<a/>', 'application/xml'), 'unsupported_media_type'],
    ['no media type', () => post('/probe/notes', '{}', ''), 'unsupported_media_type'],
    ['JSON where a file belongs', () => post('/probe/files', '{}'), 'unsupported_media_type'],
    ['too long a body', () => note({ words: 'a'.repeat(300_000) }), 'body_too_large'],
    ['an unknown field', () => note({ words: 'a', more: 1 }), 'invalid_request'],
    ['a NUL', () => note({ words: 'a\0b' }), 'invalid_request'],
    ['an unpaired surrogate', () => post('/probe/notes', '{"words":"\\ud800"}'), 'invalid_request'],
    ['only what cannot be seen', () => note({ words: '\u200b\u2800\u3164' }), 'invalid_request'],
    ['only what turns text round', () => note({ words: '\u202e\u2069' }), 'invalid_request'],
    ['only blanks', () => note({ words: ' \u3000\n' }), 'invalid_request'],
    ['an infinite number', () => post('/probe/notes', '{"words":"a","place":{"lon":1e999}}'), 'invalid_request'],
    ['an id that is none', () => call(api.url, 'GET', '/probe/things/1'), 'invalid_request'],
    ['a bad query', () => call(api.url, 'GET', `/probe/things/${ID}?limit=x`), 'invalid_request'],
    ['a repeated query', () => call(api.url, 'GET', `/probe/things/${ID}?limit=1&limit=2`), 'invalid_request'],
    ['an unknown query', () => call(api.url, 'GET', `/probe/things/${ID}?other=1`), 'invalid_request'],
    ['an address that cannot be decoded', () => call(api.url, 'GET', '/probe/things/%zz'), 'invalid_request'],
    ['a parameter that never ends', () => call(api.url, 'GET', `/probe/things/${'a'.repeat(500)}`), 'uri_too_long'],
    ['another method', () => call(api.url, 'DELETE', '/probe/notes'), 'route_not_found'],
    ['no idempotency key', () => call(api.url, 'POST', '/probe/keyed'), 'invalid_request'],
  ];
  it.each(raw)('refuses %s', async (_, ask, code) => {
    const { status, body } = await ask();
    expect(body).toMatchObject({ code, status, type: `urn:golden72:problem:${code}` });
    expect(status).toBe(PROBLEMS[code as keyof typeof PROBLEMS].status);
  });

  it.each(UNPARSABLE)('refuses %s with a problem', async (_, bytes, status) => {
    const answer = await sendRaw(api.url, bytes);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(JSON.parse(answer.body)).toMatchObject({
      status,
      code: status === 431 ? 'header_too_large' : 'invalid_request',
      detail: expect.any(String),
    });
  });

  it('still answers others', async () => {
    await Promise.all(UNPARSABLE.map(([, bytes]) => sendRaw(api.url, bytes)));
    expect((await call(api.url, 'GET', '/healthz')).status).toBe(200);
  });

  it('says where a request is wrong, and never repeats a value', async () => {
    const canary = 'canary-7f3a';
    const body = { words: canary.repeat(2), place: { lon: 181, lat: canary, datum: canary }, at: canary };
    const answer = await note(body);
    const paths = (answer.body['issues'] as { path: string }[]).map((issue) => issue.path);
    expect(paths.sort()).toEqual(['at', 'place.datum', 'place.lat', 'place.lon', 'words']);
    expect(JSON.stringify(answer.body)).not.toContain(canary);
    const parameter = await call(api.url, 'GET', `/probe/things/${canary}`);
    expect(parameter.body['issues']).toMatchObject([{ path: 'id' }]);
    expect(JSON.stringify(parameter.body)).not.toContain(canary);
  });

  it('tells at most twenty issues of a hostile body', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`.repeat(3), 1]));
    const answer = await note(many);
    expect(JSON.stringify(answer.body).length).toBeLessThan(5000);
    expect((answer.body['issues'] as unknown[]).length).toBeLessThanOrEqual(20);
  });

  it('parses what it takes: trimmed, composed, converted, with defaults', async () => {
    const at = '2026-01-02T03:04:05+08:00';
    const composed = await note({ words: ' e\u0301 ', place: { lon: 114, lat: 22.5, datum: 'wgs84' }, at });
    expect(composed.body).toEqual({ words: '\u00e9', place: [114, 22.5], at: '2026-01-01T19:04:05.000Z' });
    const shifted = await note({ words: 'a', place: { lon: 114, lat: 22.5, datum: 'gcj02' } });
    const [lon, lat] = shifted.body['place'] as [number, number];
    // GCJ-02 lies some 500 m south-east of WGS-84 there: the conversion moves back.
    expect(lon).toBeGreaterThan(113.99);
    expect(lon).toBeLessThan(113.999);
    expect(lat).toBeGreaterThan(22.5);
    expect((await call(api.url, 'GET', `/probe/things/${ID}`)).body).toEqual({ id: ID, limit: 20 });
    const keyed = await call(api.url, 'POST', '/probe/keyed', { headers: { 'idempotency-key': 'k-12345678' } });
    expect(keyed.body).toEqual({ key: 'k-12345678' });
  });

  describe('takes uploads', () => {
    const upload = (parts: Record<string, string | number>) => {
      const form = new FormData();
      for (const [name, part] of Object.entries(parts)) {
        if (typeof part === 'string') form.append(name, part);
        else form.append(name, new Blob([new Uint8Array(part)]), 'a.jpg');
      }
      return call(api.url, 'POST', '/probe/files', { body: form });
    };

    it('of one file and its fields', async () => {
      expect((await upload({ photo: 1_000_000, words: ' a ' })).body).toEqual({ bytes: 1_000_000, words: 'a' });
      expect((await upload({ words: 'a' })).body).toEqual({ words: 'a' });
    });

    it('up to a bound', async () => {
      const tooMuch = [
        { photo: 13 * 1024 * 1024 },
        { photo: 12 * 1024 * 1024 + 1 },
        { a: 10, b: 10 },
        { words: 'a'.repeat(100_000) },
        Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, 'a'])),
      ];
      for (const parts of tooMuch) {
        expect((await upload(parts)).body).toMatchObject({ code: 'body_too_large', status: 413 });
      }
    });

    it('that are well formed', async () => {
      const wrong: Record<string, string>[] = [
        { words: 'a'.repeat(11) },
        { other: 'a' },
        { ['__proto__']: 'a' },
        { toString: 'a' },
      ];
      for (const parts of wrong) {
        expect((await upload(parts)).body).toMatchObject({ code: 'invalid_request', status: 400 });
      }
      const type = 'multipart/form-data; boundary=x';
      const cut = '--x\r\nContent-Disposition: form-data; name="p"; filename="p"\r\n\r\nabc';
      const repeated = '--x\r\nContent-Disposition: form-data; name="words"\r\n\r\na\r\n'.repeat(2) + '--x--\r\n';
      for (const body of [cut, repeated, '--x']) {
        expect((await post('/probe/files', body, type)).body).toMatchObject({ code: 'invalid_request', status: 400 });
      }
      const noBoundary = await post('/probe/files', 'a', 'multipart/form-data');
      expect(noBoundary.body).toMatchObject({ code: 'invalid_request', status: 400 });
    });
  });

  it('keeps a fault to itself', async () => {
    const answer = await call(api.url, 'GET', '/probe/fault');
    expect(answer.body).toMatchObject({ status: 500, code: 'internal_error' });
    expect(JSON.stringify(answer.body)).not.toMatch(/secret|Error|\.ts/);
  });

  describe('callers', () => {
    let cookie: string;
    let key: { id: string; secret: string };
    let agencyId: string;
    let officerId: string;

    beforeAll(async () => {
      agencyId = await makeAgency(api.app);
      const officer = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
      officerId = officer.id;
      cookie = await signIn(api.url, officer);
      const keys = api.app.get(AgencyKeys, { strict: false });
      key = await api.app.get(DataSource).transaction((tx) => keys.create(tx, agencyId, 'test'));
    });

    it('are who their credential says', async () => {
      const actor = { kind: 'officer', id: officerId, agencyId, roles: ['liaison'] };
      const keyActor = { kind: 'agency_key', id: key.id, agencyId };
      const bearer = `g72k_${key.secret}`;
      expect((await call(api.url, 'POST', '/probe/officers', { cookie })).body).toMatchObject(actor);
      expect((await call(api.url, 'GET', '/probe/devices', { bearer: 'g72d_known' })).body).toMatchObject({
        kind: 'device',
        id: 7,
      });
      expect((await call(api.url, 'GET', '/probe/keys', { bearer })).body).toEqual(keyActor);
      expect((await call(api.url, 'GET', '/probe/several', { bearer })).body).toEqual(keyActor);
      expect((await call(api.url, 'GET', '/probe/several', { cookie })).body).toMatchObject(actor);
    });

    it.each([
      ['POST', '/probe/officers', 'session_invalid'],
      ['GET', '/probe/devices', 'device_invalid'],
      ['GET', '/probe/keys', 'agency_key_invalid'],
      ['GET', '/probe/several', 'session_invalid'],
    ])('are refused at %s %s without their own credential', async (method, path, code) => {
      const others = [
        {},
        { bearer: 'g72d_unknown' },
        { bearer: 'g72k_unknown' },
        { bearer: '' },
        { headers: { authorization: 'Basic g72d_known' } },
        { cookie: 'g72_session=' },
        { cookie: 'g72_session=unknown' },
        { cookie: `other=1; g72_session=${'%00'.repeat(10)}` },
      ];
      for (const credential of others) {
        const { status, body } = await call(api.url, method, path, credential);
        expect(status).toBe(401);
        if (Object.keys(credential).length === 0) expect(body['code']).toBe(code);
      }
      const wrong = path === '/probe/devices' ? { cookie, bearer: `g72k_${key.secret}` } : { bearer: 'g72d_known' };
      expect((await call(api.url, method, path, wrong)).status).toBe(401);
    });

    it('cannot be made to act by another site', async () => {
      const act = (headers: Record<string, string>) => call(api.url, 'POST', '/probe/officers', { cookie, headers });
      for (const headers of [
        {},
        { origin: api.url },
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none' },
      ]) {
        expect((await act(headers)).status).toBe(201);
      }
      const foreign = [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      ];
      for (const headers of foreign) {
        expect((await act(headers)).body).toMatchObject({ status: 403, code: 'cross_site_request' });
      }
    });
  });

  describe('routes', () => {
    class Unfit {}
    const start = (build: (controller: typeof Unfit.prototype) => void, ...parameters: ParameterDecorator[]) => {
      @Controller('unfit')
      class UnfitController extends Unfit {
        @Get(':id')
        read(..._: unknown[]) {
          return null;
        }
      }
      parameters.forEach((parameter, i) => parameter(UnfitController.prototype, 'read', i));
      build(UnfitController.prototype);
      @Module({ controllers: [UnfitController] })
      class UnfitModule {}
      return startApi({ databaseUrl: database.url, modules: [UnfitModule] });
    };
    const declare = (decorator: MethodDecorator) => (prototype: object) => {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, 'read');
      if (descriptor) decorator(prototype, 'read', descriptor);
    };

    it('do not start without an audience', async () => {
      await expect(start(() => undefined)).rejects.toThrow('UnfitController.read has no audience');
    });

    it('do not start where they read without a schema', async () => {
      for (const parameter of [Body(), Query(), Param('id')]) {
        await expect(start(declare(Public()), parameter)).rejects.toThrow('UnfitController.read reads');
      }
    });
  });

  describe('/openapi.json', () => {
    type Operation = { security?: unknown[]; responses: Record<string, unknown> };
    type Document = { paths: Record<string, Record<string, Operation>>; components: Record<string, unknown> };
    let document: Document;

    beforeAll(async () => {
      document = (await call<Document>(api.url, 'GET', '/openapi.json')).body;
    });

    it('refers only to what it holds', () => {
      const refs = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
      for (const [, ref] of refs) {
        const found = ref
          ?.split('/')
          .slice(1)
          .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
        expect([ref, typeof found]).toEqual([ref, 'object']);
      }
    });

    it('demands a credential of exactly the routes that say so', async () => {
      const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
      );
      expect(routes.length).toBeGreaterThan(10);
      for (const { path, method, operation } of routes) {
        expect([path, operation.responses['default']]).toEqual([path, { $ref: '#/components/responses/Problem' }]);
        const { body } = await call(api.url, method.toUpperCase(), path.replaceAll(/\{\w+\}/g, ID));
        const isDemanded = CREDENTIAL_DEMANDED.has(String(body['code']));
        expect([method, path, isDemanded]).toEqual([method, path, (operation.security?.length ?? 0) > 0]);
      }
    });

    it('shows the schemas that routes parse with', () => {
      const { post: operation } = document.paths['/probe/notes'] as { post: Operation };
      expect(operation).toMatchObject({
        requestBody: {
          content: { 'application/json': { schema: { additionalProperties: false, required: ['words'] } } },
        },
      });
      expect(document.paths['/probe/keyed']).toMatchObject({
        post: { parameters: [{ in: 'header', name: 'Idempotency-Key', required: true }] },
      });
    });
  });

  it('is alive, ready and measured by route template', async () => {
    expect((await call(api.url, 'GET', '/healthz')).body).toEqual({ status: 'alive' });
    const ready = await call(api.url, 'GET', '/readyz');
    expect(ready).toMatchObject({ status: 200, body: { ready: true, parts: { postgres: 'ok', redis: 'ok' } } });
    await call(api.url, 'GET', `/probe/things/${ID}`);
    await call(api.url, 'GET', '/nowhere/at-all');
    const { body } = await call<string>(api.url, 'GET', '/metrics');
    expect(body).toContain('golden72_http_request_seconds_count{method="GET",route="/probe/things/:id",status="200"}');
    expect(body).toContain('process_cpu_seconds_total');
    expect(body).not.toContain(ID);
    expect(body).not.toContain('at-all');
  });

  it('says which server is away, asks to come again, and works once it is back', async () => {
    const postgres = await startProxy(database.url);
    const redis = await startProxy(await emptyRedis());
    const shaky = await startApi({ databaseUrl: postgres.url, redisUrl: redis.url });
    const ready = () => call(shaky.url, 'GET', '/readyz');
    try {
      const officer = await makeOfficer(shaky.app, { agencyId: await makeAgency(shaky.app), roles: ['liaison'] });
      const cookie = await signIn(shaky.url, officer);
      await redis.cut();
      const parts = { postgres: 'ok', redis: 'unreachable' };
      // The api takes reports and endings without Redis, so it stays in the balancer.
      expect(await ready()).toMatchObject({ status: 200, body: { ready: true, parts } });
      expect(await signIn(shaky.url, officer)).toContain('g72_session=');

      await postgres.cut();
      expect((await ready()).body).toMatchObject({ parts: { postgres: 'unreachable', redis: 'unreachable' } });
      const answer = await call(shaky.url, 'GET', '/v1/session', { cookie });
      expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('5');
      expect((await call(shaky.url, 'GET', '/healthz')).status).toBe(200);

      await Promise.all([postgres.mend(), redis.mend()]);
      await until('both servers are back', async () => (await ready()).status === 200);
      expect((await call(shaky.url, 'GET', '/v1/session', { cookie })).status).toBe(200);
    } finally {
      await shaky.close();
      await Promise.all([postgres.cut(), redis.cut()]);
    }
  });
});

const ID = '0198c0de-0000-7000-8000-000000000072';

/** A server behind a wire that the test can cut and mend. */
async function startProxy(target: string): Promise<{ url: string; cut(): Promise<void>; mend(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => socket.destroy()));
    client.pipe(upstream).pipe(client);
  });
  const listen = (at: number) => new Promise<void>((listening) => server.listen(at, '127.0.0.1', listening));
  await listen(0);
  const own = (server.address() as AddressInfo).port;
  const cut = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      sockets.forEach((socket) => socket.destroy());
    });
  return { url: Object.assign(new URL(target), { host: `127.0.0.1:${own}` }).href, cut, mend: () => listen(own) };
}
