import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How long a process may take to stop by itself. */
const GRACE_MS = 10_000;
/** How long one may take to be ready. */
const READY_MS = 60_000;

interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly log: string;
}

/** The processes of the night, each with its log; a death among them ends the night. */
export class Processes {
  private readonly running: Running[] = [];
  private stopping = false;
  private readonly died = Promise.withResolvers<never>();

  constructor(private readonly logs: string) {
    mkdirSync(logs, { recursive: true });
    this.died.promise.catch(() => undefined);
  }

  /** Rejects when a process ends by itself. */
  get death(): Promise<never> {
    return this.died.promise;
  }

  /** Starts a built program and waits for what it says when it is ready. */
  async start<Ready>(
    name: string,
    entry: string,
    args: readonly string[],
    env: Record<string, string>,
  ): Promise<Ready> {
    const log = join(this.logs, `${name}.log`);
    const child = fork(entry, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const sink = createWriteStream(log);
    child.stdout?.pipe(sink, { end: false });
    child.stderr?.pipe(sink, { end: false });
    child.once('close', () => sink.end());
    const running = { name, child, log };
    this.running.push(running);
    child.once('exit', (code, signal) => {
      if (!this.stopping) this.died.reject(new Error(`${name} ended by itself (${signal ?? code}).\n${tail(log)}`));
    });
    return Promise.race([ready<Ready>(running), this.death]);
  }

  /** Stops all, last started first. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const { child } of this.running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await exit;
      clearTimeout(timer);
    }
  }
}

async function ready<Ready>({ name, child, log }: Running): Promise<Ready> {
  const signal = AbortSignal.timeout(READY_MS);
  try {
    const [message] = (await once(child, 'message', { signal })) as [Ready];
    return message;
  } catch (error) {
    throw new Error(`${name} was not ready within ${READY_MS / 1000} s.\n${tail(log)}`, { cause: error });
  }
}

function tail(log: string): string {
  return `${log} ends:\n${readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n')}`;
}
