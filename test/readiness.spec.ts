import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { call, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis, testEnv } from './harness/env.ts';
import { until } from './harness/until.ts';

describe('a process that cannot do its work', () => {
  let database: TestDatabase;
  let closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
  });

  afterAll(() => database?.drop());

  it('says that it has no connection to spare, and is ready again once it has', async () => {
    const api: TestApi = await startApi({ databaseUrl: database.url, DATABASE_POOL: '1' });
    closing.push(() => api.close());
    const ready = () => call<{ parts: Record<string, string> }>(api.url, 'GET', '/readyz');
    const holder = api.app.get(DataSource).createQueryRunner();
    await holder.connect();
    const waiting = api.app.get(DataSource).query('SELECT 1');
    const { status, body } = await until('somebody has waited for long', async () => {
      const answer = await ready();
      return answer.body.parts['pool'] === 'exhausted' ? answer : null;
    });
    expect([status, body.parts['postgres']]).toEqual([503, 'unreachable']);
    await holder.release();
    await waiting;
    await until('it is ready', async () => (await ready()).status === 200);
  });

  it('says of a worker that it has no credentials: it would claim batches in vain', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'golden72-readiness-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    const known = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(dir, 'credentials.json');
    await writeFile(join(dir, 'credentials.json'), '{}');
    closing.push(async () => {
      if (known === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
      else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = known;
    });
    await emptyRedis();
    const worker: NestFastifyApplication = await createWorker(
      testEnv(database.url, { FCM_ENDPOINT: 'https://127.0.0.1:9' }),
    );
    closing.push(() => worker.close());
    await worker.listen(0, '127.0.0.1');
    const answer = await call<{ parts: Record<string, string> }>(await worker.getUrl(), 'GET', '/readyz');
    expect(answer).toMatchObject({
      status: 503,
      body: { ready: false, parts: { push: 'no_credentials', sweep: 'ok' } },
    });
  });
});
