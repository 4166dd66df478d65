import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../apps/api/src/callers/audiences.ts';
import { call, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { hangUp } from './harness/raw.ts';
import { until } from './harness/until.ts';

const CANARY = 'canary-7f3a';

@Controller('probe')
class ProbeController {
  constructor(private readonly source: DataSource) {}

  @Get('values')
  @Public()
  value(@Query({ schema: z.strictObject({ value: z.string() }) }) { value }: { value: string }) {
    return this.source.query('SELECT $1::uuid', [value]);
  }

  @Get('faults')
  @Public()
  fault() {
    throw new Error('a fault of ours');
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

interface Line {
  readonly level: number;
  readonly req?: { readonly id: string; readonly method: string; readonly path: string };
  readonly res?: { readonly status: number };
  readonly err?: { readonly type: string; readonly message?: string; readonly code?: string };
}

let database: TestDatabase;
let api: TestApi;
const written: string[] = [];
const lines = () => written.map((line) => JSON.parse(line) as Line);

// The logger is one per process, and so are its level and its output: hence a test file of its own.
beforeAll(async () => {
  // Pino writes to the stream itself, not to its file descriptor, when somebody has changed the stream.
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, LOG_LEVEL: 'trace', modules: [ProbeModule] });
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
  jest.restoreAllMocks();
});

it('logs each request by its id and path, and nothing that people wrote', async () => {
  const headers = { 'x-request-id': 'request-0002', 'x-other': CANARY, cookie: `g72_session=${CANARY}` };
  const json = { login: CANARY, password: CANARY };
  await call(api.url, 'POST', `/v1/session?${CANARY}`, { json, headers });
  await call(api.url, 'POST', '/v1/session', { json: { ...json, [CANARY]: CANARY } });
  await call(api.url, 'GET', '/v1/session', { bearer: `g72d_${CANARY}` });
  expect(lines()).toContainEqual(
    expect.objectContaining({
      req: { id: 'request-0002', method: 'POST', path: '/v1/session' },
      res: { status: 401 },
    }),
  );
  expect(written.join()).not.toContain(CANARY);
  expect(written.join()).not.toContain('127.0.0.1');
});

it.each([
  ['JSON', 'application/json', '{"words":"'],
  [
    'a form',
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\nabc',
  ],
])('does not take a client that hangs up in the midst of %s for a fault', async (_, type, begun) => {
  const id = `hang-up-${type.slice(0, 9).replace('/', '-')}`;
  const path = '/v1/alerts/a-slug/sightings';
  await hangUp(api.url, path, type, begun, `x-request-id: ${id}\r\n`);
  await until('its request is logged', async () => lines().some(({ req, res }) => req?.id === id && res));
  const ERROR = 50;
  expect(
    written.filter((line) => line.includes(id)).filter((line) => (JSON.parse(line) as Line).level >= ERROR),
  ).toEqual([]);
});

it('logs a fault once, with its words when they are ours and without when they are the database’s', async () => {
  await call(api.url, 'GET', '/probe/faults');
  await call(api.url, 'GET', `/probe/values?value=${CANARY}`);
  const faults = lines().flatMap(({ err }) => (err ? [err] : []));
  expect(faults).toEqual([
    expect.objectContaining({ type: 'Error', message: 'a fault of ours' }),
    expect.objectContaining({ type: 'QueryFailedError', code: '22P02' }),
  ]);
  expect(written.join()).not.toContain(CANARY);
});
