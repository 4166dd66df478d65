import { constants } from 'node:os';
import { spawnTied } from './processes.mjs';
import { endOf } from './run-logged.mjs';

const GRACE_S = 15;

/**
 * Runs a program in the foreground of this terminal until it ends or is asked to.
 * @param {string[]} command
 * @param {{ root: string, purpose?: { record: (kind: string, child: import('node:child_process').ChildProcess) => void }, urls: NodeJS.ProcessEnv, stop: AbortSignal, hurry: AbortSignal }} run
 * @returns {Promise<number | undefined>} its exit code; undefined when our signal ended it
 */
export async function runApp([program, ...args], { root, purpose, urls, stop, hurry }) {
  const env = { ...process.env, ...urls };
  const child = spawnTied(program, args, { cwd: root, env, stdio: 'inherit', lifeline: 'SIGTERM', graceS: GRACE_S });
  if (child.pid) purpose?.record('app', child);
  const { code, signal } = await endOf(
    child,
    stop,
    [
      ['SIGTERM', GRACE_S * 1_000],
      ['SIGKILL', 5_000],
    ],
    hurry,
  );
  if (code !== null) return code;
  return stop.aborted ? undefined : 128 + constants.signals[signal];
}
