import { createServer } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createPublic } from '../../apps/public/src/create-public.ts';
import { emptyRedis, testEnv } from './env.ts';

export interface TestPublic {
  /** Also what links are made with. */
  readonly url: string;
  readonly app: NestFastifyApplication;
  close(): Promise<void>;
}

/** Runs the alert pages in this process. */
export async function startPublic(databaseUrl: string, overrides: Record<string, string> = {}): Promise<TestPublic> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = { REDIS_URL: await emptyRedis(), PUBLIC_URL: url, ...overrides };
  const app = await createPublic(testEnv(databaseUrl, settings));
  await app.listen(port, '127.0.0.1');
  return { url, app, close: () => app.close() };
}

/** A page's links hold its port, so it has to be known before the page is served. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
