import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pingRedis } from './answers.mjs';
import { freePort } from './ports.mjs';
import { endProcess, spawnTied, tailOf, until } from './processes.mjs';
import { writePrivate } from './purpose.mjs';
import { dataHome, ownerOf, unprivilegedUser } from './server-user.mjs';
import { SetupError } from './setup-error.mjs';

const READY_MS = 15_000;
const ATTEMPTS = 3;

/** Nothing is written to disk: Redis is disposable here. The password stays out of the process list by being in a file. */
const configuration = (port, dir, password) =>
  [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir "${dir}"`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'maxmemory-policy noeviction',
    'databases 64',
    'daemonize no',
    '',
  ].join('\n');

/**
 * Starts a private Redis on 127.0.0.1.
 * @param {Awaited<ReturnType<import('./purpose.mjs').takePurpose>>} purpose
 * @param {string} binary
 * @param {{ port?: number }} [options] port: the one to prefer
 */
export async function startRedis(purpose, binary, { port: preferred } = {}) {
  const user = ownerOf(join(purpose.dir, 'redis')) ?? unprivilegedUser();
  const home = dataHome(purpose.dir, 'redis', user);
  const log = join(purpose.dir, 'redis.log');
  const password = purpose.secrets().redis;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? preferred : undefined);
    const file = join(home, 'redis.conf');
    writePrivate(file, configuration(port, home, password), user);
    const child = spawnServer(binary, file, log, user);
    purpose.record('redis', child);
    const url = `redis://:${password}@127.0.0.1:${port}`;
    if (await becomesReady(child, url)) return { name: 'Redis', child, log, port, url, stop: stopper(child) };
    await stopper(child)();
    if (attempt === ATTEMPTS) throw new SetupError(`Redis did not start. ${log} ends:\n${tailOf(log)}`);
  }
}

function spawnServer(binary, file, log, user) {
  const output = openSync(log, 'w', 0o600);
  try {
    return spawnTied(binary, [file], {
      ...user,
      cwd: '/',
      stdio: ['ignore', output, output],
      lifeline: 'SIGTERM',
      graceS: 5,
    });
  } finally {
    closeSync(output);
  }
}

async function becomesReady(child, url) {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const answers = () =>
    pingRedis(url).then(
      () => true,
      () => false,
    );
  let ready = false;
  await until(async () => (ready = await answers()) || ended(), READY_MS);
  return ready;
}

const stopper = (child) => (hurry) =>
  endProcess(
    child.pid,
    [
      ['SIGTERM', 5_000],
      ['SIGKILL', 5_000],
    ],
    hurry,
  );
