import type { ChildProcess, Serializable } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, spawnTied, tailOf } from '../../scripts/setup/processes.mjs';

const READY_MS = 60_000;
const ANSWER_MS = 300_000;
const GRACE_MS = 30_000;

/** A process of ours, under measurement or attack. */
export interface Process<Ready> {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly ready: Ready;
  /** The file that holds what it logs. */
  readonly log: string;
  readonly alive: boolean;
  /** How it has ended: with a code, or by a signal. */
  readonly exit: Promise<readonly [code: number | null, by: NodeJS.Signals | null]>;
  /** Sends it a message and waits for the next one that it sends. @throws Error when it ends instead */
  ask<Answer>(question: unknown): Promise<Answer>;
  signal(signal: NodeJS.Signals): void;
  /** Breaks off with it, as if we had vanished. */
  desert(): void;
  /** Asks it to end (SIGTERM) and waits; insists where it does not. */
  stop(): Promise<void>;
  /** Ends it in the midst of whatever it does (SIGKILL) and waits. */
  kill(): Promise<void>;
}

/** Starts built programs, each in a process of its own with its log in the run's folder. All end with us, whatever ends us. */
export class Deployment {
  readonly #running = new Set<Process<unknown>>();
  readonly #root: string;
  readonly #dir: string;
  readonly #stopping: AbortSignal;

  constructor(root: string, dir: string, stopping: AbortSignal) {
    this.#root = root;
    this.#dir = dir;
    this.#stopping = stopping;
  }

  /**
   * @param program relative to the clone, e.g. `dist/apps/worker/src/main.js` or `bench/peers/save.ts`
   * @throws Error when it ends or says nothing within a minute, with the end of its log
   */
  async start<Ready>(
    name: string,
    program: string,
    env: NodeJS.ProcessEnv = {},
    args: readonly string[] = [],
  ): Promise<Process<Ready>> {
    this.#stopping.throwIfAborted();
    const log = join(this.#dir, `${name}.log`);
    const output = openSync(log, 'a');
    const child = spawnTied(process.execPath, [join(this.#root, program), ...args], {
      cwd: this.#root,
      env: { ...process.env, NODE_OPTIONS: '--no-warnings', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', output, output, 'ipc'],
      lifeline: 'SIGTERM',
      graceS: GRACE_MS / 1000,
    });
    closeSync(output);
    const { promise: exit, resolve } = Promise.withResolvers<Awaited<Process<Ready>['exit']>>();
    child.once('exit', (...how) => resolve(how));
    const ready = await readyOf<Ready>(child, log);
    const started: Process<Ready> = {
      pid: child.pid as number,
      ready,
      log,
      get alive() {
        return child.exitCode === null && child.signalCode === null;
      },
      exit,
      ask: <Answer>(question: unknown) => {
        const answer = answerOf<Answer>(child, log);
        child.send(question as Serializable);
        return answer;
      },
      signal: (signal) => void child.kill(signal),
      desert: () => child.disconnect(),
      stop: () => this.#end(started, child, 'SIGTERM'),
      kill: () => this.#end(started, child, 'SIGKILL'),
    };
    this.#running.add(started);
    return started;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((each) => each.stop()));
  }

  async #end(started: Process<unknown>, child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#running.delete(started);
    await end(child, signal);
  }
}

async function readyOf<Ready>(child: ChildProcess, log: string): Promise<Ready> {
  try {
    return await answerOf<Ready>(child, log, READY_MS);
  } catch (error) {
    await end(child, 'SIGTERM');
    throw error;
  }
}

/** What it says next. */
async function answerOf<Answer>(child: ChildProcess, log: string, withinMs = ANSWER_MS): Promise<Answer> {
  const over = new AbortController();
  const died = once(child, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.at(-1)} ended by itself (${code}):\n${tailOf(log, 10)}`);
  });
  try {
    const said = once(child, 'message', { signal: AbortSignal.timeout(withinMs) });
    const [message] = (await Promise.race([said, died])) as [Answer];
    return message;
  } finally {
    over.abort();
    died.catch(() => undefined);
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  // One that was stopped would not hear the other.
  child.kill('SIGCONT');
  await endProcess(child.pid, [
    [signal, GRACE_MS],
    ['SIGKILL', GRACE_MS],
  ]);
  await gone;
}

/** Kernel clock ticks of /proc, a second (sysconf(_SC_CLK_TCK), 100 on every Linux that Node runs on). */
const TICKS = 100;

/** CPU seconds that a process has used so far, in user and system mode (proc(5), `stat`, fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Resident memory of a process, MB: now and at its highest so far (proc(5), `status`). */
export function memoryMb(pid: number): { readonly now: number; readonly highest: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) / 1024;
  return { now: of('VmRSS'), highest: of('VmHWM') };
}
