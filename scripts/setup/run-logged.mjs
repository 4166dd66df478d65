import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { endProcess, send, spawnTied, tailOf } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Runs a command to its end, its output in a log whose last lines a failure quotes.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, log: string, name: string, stop: AbortSignal, env?: NodeJS.ProcessEnv }} options
 */
export async function runLogged(command, args, { cwd, log, name, stop, env }) {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'w', 0o600);
  const child = spawnTied(command, args, {
    cwd,
    env,
    stdio: ['ignore', output, output],
    lifeline: 'SIGTERM',
    graceS: 5,
  });
  closeSync(output);
  const { code, signal } = await endOf(child, stop, [
    ['SIGTERM', 5_000],
    ['SIGKILL', 5_000],
  ]);
  if (stop.aborted) throw new SetupError(`${name} was stopped.`);
  if (code !== 0)
    throw new SetupError(`${name} failed (${signal ?? `code ${code}`}). ${log} ends:\n${tailOf(log, 40)}`);
}

/**
 * Waits for a child's end; ends it when `stop` is raised, and at last whatever is left of its process group.
 * @param {import('node:child_process').ChildProcess} child
 * @param {AbortSignal} stop
 * @param {[NodeJS.Signals, number][]} steps
 * @param {AbortSignal} [hurry]
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
export async function endOf(child, stop, steps, hurry) {
  const onStop = () => void (child.pid && endProcess(child.pid, steps, hurry));
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new SetupError(`${child.spawnfile} cannot be run: ${error.message}`)));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  } finally {
    stop.removeEventListener('abort', onStop);
    if (child.pid) send(-child.pid, 'SIGKILL');
  }
}
