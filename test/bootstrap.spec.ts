import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { installPackages } from '../scripts/setup/packages.mjs';
import { choosePackages } from '../scripts/setup/system-packages.mjs';

const SERVICES = join(import.meta.dirname, '../scripts/services.mjs');
const DEADLINE_MS = 25_000;

interface Run {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | null>;
}

interface Urls {
  database: string;
  redis: string;
}

let local: string;
let runs: Run[];

beforeEach(() => {
  local = mkdtempSync(join(tmpdir(), 'golden72-bootstrap-'));
  chmodSync(local, 0o755); // so that the servers' user can enter, as in a usual clone
  runs = [];
});

afterEach(async () => {
  for (const { child } of runs) child.kill('SIGTERM');
  await Promise.all(runs.map(({ ended }) => ended));
  rmSync(local, { recursive: true, force: true });
});

function start(env: Partial<NodeJS.ProcessEnv> = {}, purpose = 'dev'): Run {
  const { DATABASE_URL: _database, REDIS_URL: _redis, npm_lifecycle_event: _npm, ...clean } = process.env;
  const child = spawn(process.execPath, [SERVICES, purpose, '--local', local], {
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  const run = { child, said: () => said, ended };
  runs.push(run);
  return run;
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await pause(25);
  }
}

async function urlsOf(run: Run): Promise<Urls> {
  const pattern = /DATABASE_URL=(\S+)\nREDIS_URL=(\S+)\n/;
  await until('the addresses are printed', () => pattern.test(run.said()) || run.child.exitCode !== null);
  const [, database, redis] = pattern.exec(run.said()) ?? [];
  if (!database || !redis) throw new Error(`It ended without addresses:\n${run.said()}`);
  return { database, redis };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function ping(url: string): Promise<string> {
  const redis = new Redis(url, { lazyConnect: true });
  redis.on('error', () => {}); // connect() and ping() reject with it too
  try {
    await redis.connect();
    return await redis.ping();
  } finally {
    redis.disconnect();
  }
}

async function isListening(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const nothingListens = async ({ database, redis }: Urls) =>
  !(await isListening(database)) && !(await isListening(redis));

interface Noted {
  pid: number;
  guard: { pid: number };
}

function noted(): Record<'postgres' | 'redis', Noted> {
  return JSON.parse(readFileSync(join(local, 'dev/children.json'), 'utf8')) as ReturnType<typeof noted>;
}

describe('npm packages', () => {
  it('of another checkout, reached by a link, are left alone', async () => {
    const [own, other] = [join(local, 'own'), join(local, 'other')];
    mkdirSync(own);
    mkdirSync(join(other, 'node_modules/at-work'), { recursive: true });
    symlinkSync(join(other, 'node_modules'), join(own, 'node_modules'));
    writeFileSync(join(own, 'package.json'), '{"name":"own","version":"1.0.0"}');
    const lock = {
      name: 'own',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': { name: 'own', version: '1.0.0' } },
    };
    writeFileSync(join(own, 'package-lock.json'), JSON.stringify(lock));
    const install = installPackages({ root: own, local, stop: new AbortController().signal });
    await expect(install).rejects.toThrow('Remove the link');
    expect(readdirSync(join(other, 'node_modules'))).toEqual(['at-work']);
  });
});

describe('private servers', () => {
  it('answer while the run lasts, keep their data, and leave nothing behind', async () => {
    const first = start();
    const urls = await urlsOf(first);
    await query(urls.database, 'create extension postgis');
    await query(urls.database, 'create table kept as select 72 as hours');
    expect(await ping(urls.redis)).toBe('PONG');
    expect(
      await query(urls.database, "select inet_server_addr()::text as host, current_setting('fsync') as fsync"),
    ).toEqual([{ host: '127.0.0.1/32', fsync: 'on' }]);

    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(await nothingListens(urls)).toBe(true);
    expect(existsSync(join(local, 'dev/run.json'))).toBe(false);

    const again = await urlsOf(start());
    expect(await query(again.database, 'select hours from kept')).toEqual([{ hours: 72 }]);
  });

  it('refuse whoever has not the password', async () => {
    const urls = await urlsOf(start());
    const strip = (url: string) => Object.assign(new URL(url), { password: 'wrong' }).href;
    await expect(query(strip(urls.database), 'select 1')).rejects.toMatchObject({ code: '28P01' });
    await expect(ping(strip(urls.redis))).rejects.toThrow();
  });

  it('die with a supervisor that is killed, and start again on the same data', async () => {
    const first = start();
    const urls = await urlsOf(first);
    await query(urls.database, 'create table kept as select 72 as hours');
    first.child.kill('SIGKILL');
    await first.ended;
    await until('both servers are gone', () => nothingListens(urls));

    const again = await urlsOf(start());
    expect(await query(again.database, 'select hours from kept')).toEqual([{ hours: 72 }]);
  });

  it('left by a killed run whose guards were killed as well are ended by the next run', async () => {
    const first = start();
    const urls = await urlsOf(first);
    const held = connect(Number(new URL(urls.redis).port), '127.0.0.1');
    await once(held, 'connect');
    held.on('error', () => {}); // being reset is an end as well
    held.unref(); // a failure must not keep this process up
    for (const { guard } of Object.values(noted())) process.kill(guard.pid, 'SIGKILL');
    first.child.kill('SIGKILL');
    await first.ended;

    const again = await urlsOf(start());
    await until('the earlier Redis is gone', () => held.destroyed);
    expect(await ping(again.redis)).toBe('PONG');
  });

  it('are refused to a second run of the same purpose, which names the first', async () => {
    const first = start();
    const urls = await urlsOf(first);
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.said()).toContain(`process ${first.child.pid}`);
    expect(await ping(urls.redis)).toBe('PONG');
  });

  it('that end by themselves end the run with the reason', async () => {
    const run = start();
    const urls = await urlsOf(run);
    process.kill(noted().redis.pid, 'SIGKILL');
    expect(await run.ended).toBe(1);
    expect(run.said()).toMatch(/Redis ended unexpectedly \(SIGKILL\)/);
    expect(await nothingListens(urls)).toBe(true);
  });

  it('keep their data elsewhere when their user cannot enter the clone', async () => {
    if (process.getuid?.() !== 0) return; // then they run as ourselves
    chmodSync(local, 0o700);
    const urls = await urlsOf(start());
    const elsewhere = dirname(readlinkSync(join(local, 'dev/postgres')));
    expect(elsewhere).toMatch(/^\/var\/tmp\/golden72-[0-9a-f]{12}$/);
    expect(await query(urls.database, 'select 1 as one')).toEqual([{ one: 1 }]);
    runs[0]?.child.kill('SIGTERM');
    await runs[0]?.ended;
    rmSync(elsewhere, { recursive: true });
  });
});

describe('given servers', () => {
  it('are used as they are', async () => {
    const given = await urlsOf(start());
    const run = start({ DATABASE_URL: given.database, REDIS_URL: given.redis }, 'other');
    expect(await urlsOf(run)).toEqual(given);
    expect(existsSync(join(local, 'other/children.json'))).toBe(false);

    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(await ping(given.redis)).toBe('PONG');
  });

  it('that do not answer are named, without their password', async () => {
    const run = start({ DATABASE_URL: 'postgres://officer:canary@127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' });
    expect(await run.ended).toBe(1);
    expect(run.said()).toMatch(/DATABASE_URL \(127\.0\.0\.1:1\/x\) does not answer: .*ECONNREFUSED/);
    expect(run.said()).not.toContain('canary');
  });
});

describe('the choice of Debian packages', () => {
  const all = { postgres: true, redis: true, browser: true, font: true };
  const none = { postgres: false, redis: false, browser: false, font: false };
  const lists = new Set(['postgresql-15-postgis-3', 'postgresql-postgis']);
  const known = (name: string) => lists.has(name);

  it.each([
    ['a bare machine', all, [], ['postgresql-postgis', 'redis-server', 'chromium', 'fonts-noto-cjk']],
    ['a server without PostGIS', { ...none, postgres: true }, ['15'], ['postgresql-15-postgis-3']],
    ['only an older server has a package', { ...none, postgres: true }, ['17', '15'], ['postgresql-15-postgis-3']],
    ['a server that no package extends', { ...none, postgres: true }, ['17'], ['postgresql-postgis']],
    ['Redis only', { ...none, redis: true }, ['15'], ['redis-server']],
  ])('%s', (_machine, missing, servers, packages) => {
    expect(choosePackages(missing, { servers, known })).toEqual(packages);
  });
});
