import { execFile } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withDatabase } from './answers.mjs';
import { freePort } from './ports.mjs';
import { commandOf, endProcess, spawnTied, tailOf, until } from './processes.mjs';
import { writePrivate } from './purpose.mjs';
import { say } from './say.mjs';
import { dataHome, ownerOf, unprivilegedUser } from './server-user.mjs';
import { SetupError } from './setup-error.mjs';

const run = promisify(execFile);
const USER = 'golden72';
const DATABASE = 'golden72';
const READY_MS = 120_000; // recovery after a crash replays up to max_wal_size
const ATTEMPTS = 3;

/** Settings that fit a laptop of two cores and keep every promise about what was committed. */
function settings(port) {
  const sharedMb = Math.max(128, Math.min(512, Math.floor(totalmem() / 2 ** 20 / 8)));
  return {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: `${sharedMb}MB`,
    max_wal_size: '2GB',
    random_page_cost: 1.1, // solid-state disks: a random page costs little more than the next one
    default_toast_compression: 'lz4',
    jit: 'off',
    fsync: 'on',
    synchronous_commit: 'on',
    log_error_verbosity: 'terse', // the detail of an error may quote a row
    timezone: 'UTC',
  };
}

/**
 * Starts a private PostgreSQL on 127.0.0.1, making its cluster and database first where there is none.
 * @param {Awaited<ReturnType<import('./purpose.mjs').takePurpose>>} purpose
 * @param {{ binaries: string, major: string }} tools from findPostgres()
 * @param {{ fresh?: boolean, port?: number }} [options] fresh: throw an earlier cluster away; port: the one to prefer
 */
export async function startPostgres(purpose, tools, { fresh = false, port: preferred } = {}) {
  const user = ownerOf(join(purpose.dir, 'postgres')) ?? unprivilegedUser();
  const home = dataHome(purpose.dir, 'postgres', user);
  const data = join(home, 'data');
  await endStray(data);
  if (fresh) rmSync(data, { recursive: true, force: true });
  setAsideOtherVersion(data, tools.major);
  if (!existsSync(data)) await initialise(home, tools, purpose.secrets().postgres, user);
  const server = await launch({ purpose, tools, data, user, preferred });
  await createDatabase(server.urlOf('postgres'));
  return { ...server, url: server.urlOf(DATABASE) };
}

/** Ends a server that still holds our data directory but that no run remembers, and clears a pid file it left. */
async function endStray(data) {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  if (commandOf(pid).includes(` -D ${data} `)) {
    const steps = [
      ['SIGINT', 30_000],
      ['SIGQUIT', 10_000],
      ['SIGKILL', 5_000],
    ];
    if (!(await endProcess(pid, steps))) throw new SetupError(`PostgreSQL ${pid} still holds ${data}: end it first.`);
  }
  // PostgreSQL would take any process that was given the pid since for its predecessor, and refuse to start.
  rmSync(file, { force: true });
}

/** A cluster is only readable by its own major version. */
function setAsideOtherVersion(data, major) {
  if (!existsSync(data)) return;
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (found === major) return;
  const aside = `${data}.postgresql-${found}.${Date.now()}`;
  renameSync(data, aside);
  say(`  The cluster was made by PostgreSQL ${found}; this is ${major}. It is kept as ${aside}.`);
}

/** Made beside its place and renamed when complete, so that an interrupted start leaves no half a cluster. */
async function initialise(home, tools, password, user) {
  const draft = join(home, 'draft');
  const passwordFile = join(home, 'password');
  rmSync(draft, { recursive: true, force: true });
  writePrivate(passwordFile, `${password}\n`, user);
  const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
  const options = ['-D', draft, '-U', USER, '--encoding=UTF8', `--locale=${locale}`];
  try {
    await run(join(tools.binaries, 'initdb'), [...options, '--auth=scram-sha-256', `--pwfile=${passwordFile}`], {
      ...user,
      cwd: '/',
    });
  } catch (error) {
    throw new SetupError(`PostgreSQL's initdb failed:\n${error.stderr || error.message}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, join(home, 'data'));
}

/** Tries again when another program took the port meanwhile, or a killed server's last backends still hold its memory. */
async function launch(place) {
  const { purpose, preferred } = place;
  const log = join(purpose.dir, 'postgres.log');
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? preferred : undefined);
    const child = spawnServer(place, port, log);
    purpose.record('postgres', child);
    const urlOf = (database) => `postgres://${USER}:${purpose.secrets().postgres}@127.0.0.1:${port}/${database}`;
    if (await becomesReady(child, urlOf('postgres')))
      return { name: 'PostgreSQL', child, log, port, urlOf, stop: stopper(child) };
    await stopper(child)();
    const transient = /could not bind|already in use|still in use/.test(tailOf(log));
    if (!transient || attempt === ATTEMPTS)
      throw new SetupError(`PostgreSQL did not start. ${log} ends:\n${tailOf(log)}`);
    await until(() => false, 1_000);
  }
}

function spawnServer({ tools, data, user }, port, log) {
  const options = Object.entries(settings(port)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = openSync(log, 'w', 0o600);
  try {
    return spawnTied(join(tools.binaries, 'postgres'), ['-D', data, ...options], {
      ...user,
      cwd: '/',
      stdio: ['ignore', output, output],
      lifeline: 'SIGINT',
      graceS: 60,
    });
  } finally {
    closeSync(output);
  }
}

const STARTING_UP = '57P03'; // cannot_connect_now, PostgreSQL's Appendix A

async function becomesReady(child, url) {
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const answers = () =>
    withDatabase(url, () => true).catch((error) => {
      if (error.code === 'ECONNREFUSED' || error.code === STARTING_UP || ended()) return false;
      throw new SetupError(`PostgreSQL refuses its own password or protocol: ${error.message}`);
    });
  let ready = false;
  await until(async () => (ready = await answers()) || ended(), READY_MS);
  return ready;
}

const createDatabase = (url) =>
  withDatabase(url, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  });

/** Fast shutdown ends sessions and leaves a clean cluster; an immediate one is safe too, but recovers at the next start. */
const stopper = (child) => (hurry) =>
  endProcess(
    child.pid,
    [
      ['SIGINT', 30_000],
      ['SIGQUIT', 10_000],
      ['SIGKILL', 5_000],
    ],
    hurry,
  );
