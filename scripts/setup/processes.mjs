import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 25;

// Linux is read from /proc, as ps is not on every machine there.
const linux = process.platform === 'linux';

function ps(column, pid) {
  const { status, stdout } = spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The fields of /proc/PID/stat from the state (field 3 in proc(5)) on; undefined when no such process runs. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields;
  } catch {
    return undefined;
  }
}

/**
 * What tells a process from a later one that was given the same pid: when it started.
 * @param {number} pid
 * @returns {string | undefined} undefined when no such process runs
 */
export function markOf(pid) {
  if (!linux) return ps('lstart', pid);
  const started = statOf(pid)?.[19]; // field 22: ticks since boot
  return started && `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${started}`;
}

/** @returns {number} 0 when no such process runs */
export const parentOf = (pid) => Number((linux ? statOf(pid)?.[1] : ps('ppid', pid)) ?? 0);

/** @returns {string} its command line, words joined by blanks; empty when no such process runs */
export function commandOf(pid) {
  if (!linux) return ps('args', pid) ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** @param {{ pid: number, mark: string } | undefined} known */
export const isAlive = (known) => known !== undefined && markOf(known.pid) === known.mark;

/** @returns {{ pid: number, mark: string | undefined }} */
export const identify = (pid) => ({ pid, mark: markOf(pid) });

// Waits for the end of a pipe that only we hold open, which comes with our death whatever its cause; then ends the
// process, and when it is gone or the time is up, whatever else is in its process group.
const GUARD = `
read -r _
kill -s "$1" "$2"
left=$3
while kill -0 "$2" && [ "$left" -gt 0 ]; do sleep 1; left=$((left - 1)); done
kill -s KILL -- "-$2"
`;

const guards = new WeakMap();

/**
 * Starts a child in a session of its own, so that the terminal's Ctrl-C passes it by, yet tied to us: a guard ends it
 * when we are gone, even by SIGKILL. (Linux has a death signal for that; it misses grandchildren, and macOS has none.)
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { lifeline: NodeJS.Signals, graceS: number }} options lifeline: how
 *   the guard ends it; graceS: the seconds it then gets
 */
export function spawnTied(command, args, { lifeline, graceS, ...options }) {
  const child = spawn(command, args, { detached: true, ...options });
  if (child.pid === undefined) return child; // its 'error' event says why
  const words = ['-c', GUARD, 'golden72-guard', lifeline.slice(3), String(child.pid), String(graceS)];
  const guard = spawn('/bin/sh', words, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.unref();
  guard.stdin.unref();
  guard.stdin.on('error', () => {}); // it was killed: then nothing is to be told to it
  child.once('exit', () => guard.kill('SIGKILL'));
  guards.set(child, guard);
  return child;
}

/** A child and its guard as a later run can recognise them. @param {import('node:child_process').ChildProcess} child */
export const describeChild = (child) => ({ ...identify(child.pid), guard: identify(guards.get(child).pid) });

/**
 * Sends one signal after another until the process is gone.
 * @param {number} pid
 * @param {[NodeJS.Signals, number][]} steps each signal with the milliseconds to wait after it
 * @param {AbortSignal} [hurry] cuts the waits short
 * @returns {Promise<boolean>} whether it is gone
 */
export async function endProcess(pid, steps, hurry) {
  const mark = markOf(pid);
  if (mark === undefined) return true;
  for (const [signal, ms] of steps) {
    send(pid, signal);
    const last = signal === steps.at(-1)?.[0];
    if (await until(() => markOf(pid) !== mark, ms, last ? undefined : hurry)) return true;
  }
  return false;
}

/** Signals a process, or with a negative pid a whole process group; one that is gone is no error. */
export function send(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'EPERM') return false;
    throw error;
  }
}

/**
 * @param {() => boolean | Promise<boolean>} condition
 * @param {number} ms
 * @param {AbortSignal} [hurry]
 */
export async function until(condition, ms, hurry) {
  const deadline = Date.now() + ms;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > deadline || hurry?.aborted) return false;
    await pause(POLL_MS);
  }
}

/** The last lines of a log, for an error message. */
export function tailOf(path, lines = 15) {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const bytes = Buffer.alloc(Math.min(size, 8192));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(file);
  }
}
