import { randomBytes } from 'node:crypto';
import { chownSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeChild, endProcess, identify, isAlive, markOf, send, until } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

// How each kind of child is ended when the run that started it is gone: see stop() of its own file for the reasons.
const ENDINGS = {
  app: [
    ['SIGTERM', 5_000],
    ['SIGKILL', 5_000],
  ],
  redis: [
    ['SIGTERM', 5_000],
    ['SIGKILL', 5_000],
  ],
  postgres: [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 5_000],
  ],
};

/**
 * Takes a purpose (demo, test, dev …) for this process: its directory holds one run at a time. What a killed run left
 * running there is ended first.
 * @param {string} local the directory that holds all purposes
 * @param {string} name
 */
export async function takePurpose(local, name) {
  const dir = join(local, name);
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, 'run.json');
  while (!claim(lock)) {
    const holder = readJson(lock);
    if (isAlive(holder)) throw new SetupError(refusal(name, dir, holder.pid));
    await endLeftovers(join(dir, 'children.json'));
    rmSync(lock, { force: true });
  }
  return { name, dir, record: recorder(dir), secrets: () => readSecrets(dir), release: () => release(dir, lock) };
}

/**
 * Waits until no other run does the same, for work that two must not do at once.
 * @param {string} lock
 * @param {(pid: number) => void} onWait called once when there is somebody to wait for
 * @param {AbortSignal} stop
 * @returns {Promise<() => void>} gives the turn back
 */
export async function takeTurn(lock, onWait, stop) {
  mkdirSync(dirname(lock), { recursive: true });
  let told = false;
  while (!claim(lock)) {
    const holder = readJson(lock);
    if (!isAlive(holder)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) onWait(holder.pid);
    told = true;
    await until(() => stop.aborted || !isAlive(holder) || readJson(lock)?.pid !== holder.pid, 3_600_000);
    if (stop.aborted) throw new SetupError('Stopped while waiting.');
  }
  return () => rmSync(lock, { force: true });
}

const refusal = (name, dir, pid) =>
  `Another run already uses ${dir} (process ${pid}). End it first: Ctrl-C in its terminal, or 'kill ${pid}'.` +
  (name === 'demo' ? " Tests have a directory of their own: 'npm test' can run meanwhile." : '');

/** Linking a finished file into place makes the claim atomic, content and all. */
function claim(lock) {
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(mine);
  }
}

async function endLeftovers(path) {
  const children = readJson(path) ?? {};
  for (const [kind, steps] of Object.entries(ENDINGS)) {
    const child = children[kind];
    if (child === undefined) continue;
    if (isAlive(child.guard)) send(child.guard.pid, 'SIGKILL');
    if (isAlive(child) && !(await endProcess(child.pid, steps)))
      throw new SetupError(`A ${kind} process of an earlier run cannot be ended: ${child.pid}.`);
    // While any of its group lives, no other process gets the leader's number: a process that has it is a stranger.
    if (markOf(child.pid) === undefined) send(-child.pid, 'SIGKILL');
  }
  rmSync(path, { force: true });
}

/** Notes which children run, so that a later run can end them if this one and their guards are killed. */
function recorder(dir) {
  const path = join(dir, 'children.json');
  const children = {};
  return (kind, child) => {
    children[kind] = describeChild(child);
    writeJson(path, children);
  };
}

function release(dir, lock) {
  rmSync(join(dir, 'children.json'), { force: true });
  rmSync(lock, { force: true });
}

function readSecrets(dir) {
  const path = join(dir, 'secrets.json');
  const known = readJson(path);
  if (known?.postgres && known.redis) return known;
  const secret = () => randomBytes(24).toString('base64url');
  const secrets = { postgres: secret(), redis: secret() };
  writeJson(path, secrets);
  return secrets;
}

/** Undefined when the file is missing or unreadable as JSON. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the file whole, readable by its owner only. */
export function writeJson(path, value) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Writes a file that only `user` (undefined: ourselves) can read. */
export function writePrivate(path, text, user) {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  if (user) chownSync(path, user.uid, user.gid);
}
