import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Where one deployment's processes find their servers. */
export interface Place {
  /** The clone, built. */
  readonly root: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** A file for what the processes log; without one they are heard by nobody. */
  readonly log?: string;
}

/** The built api and public page, each a process of its own. */
export interface Running {
  readonly apiUrl: string;
  readonly publicUrl: string;
  /** What the processes were started with, for services beside them. */
  readonly env: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

const READY_MS = 60_000;

/**
 * Starts what the world reaches. Both stand behind a proxy, so that every request may come from a network of its own: the
 * limits per network are another test's matter.
 */
export async function startProcesses({ root, databaseUrl, redisUrl, log }: Place): Promise<Running> {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const env = {
    NODE_ENV: 'test',
    LOG_LEVEL: log === undefined ? 'silent' : 'error',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    SECRET_KEY: randomBytes(32).toString('base64'),
    TRUST_PROXY: '1',
    RATE_LIMIT_FACTOR: '1000',
    PORT: '0',
    PUBLIC_PORT: `${port}`,
    PUBLIC_URL: publicUrl,
  };
  const output = log === undefined ? 'ignore' : openSync(log, 'a');
  const start = (app: string) =>
    fork(join(root, `dist/apps/${app}/src/main.js`), [], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      execArgv: [],
      stdio: ['ignore', output, output, 'ipc'],
    });
  const children = [start('api'), start('public')];
  const close = async () => void (await Promise.all(children.map(stop)));
  try {
    const [api] = await Promise.all(children.map(ready));
    return { apiUrl: api!.url, publicUrl, env, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ready(child: ChildProcess): Promise<{ url: string }> {
  const over = new AbortController();
  const died = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.at(-1)} ended at its start (${code}); is dist/ built?`);
  });
  const said = once(child, 'message', { signal: AbortSignal.timeout(READY_MS) });
  try {
    const [message] = (await Promise.race([said, died])) as [{ url: string }];
    return message;
  } finally {
    over.abort();
    died.catch(() => undefined);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(timer);
}

/** A page's links hold its port, so it has to be known before the page is served. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
