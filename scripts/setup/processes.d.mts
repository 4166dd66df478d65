import type { ChildProcess, SpawnOptions } from 'node:child_process';

export interface TiedOptions extends SpawnOptions {
  /** How the guard ends the child when we are gone. */
  readonly lifeline: NodeJS.Signals;
  /** Seconds it then gets. */
  readonly graceS: number;
}

/** Starts a child in a session of its own, which a guard ends when we are gone, even by SIGKILL. */
export function spawnTied(command: string, args: readonly string[], options: TiedOptions): ChildProcess;

/**
 * Sends one signal after another until the process is gone, each with the milliseconds to wait after it; `hurry` cuts the
 * waits short.
 * @returns whether it is gone
 */
export function endProcess(
  pid: number,
  steps: readonly (readonly [NodeJS.Signals, number])[],
  hurry?: AbortSignal,
): Promise<boolean>;

/** The last lines of a log. */
export function tailOf(path: string, lines?: number): string;
