import { type Env, readEnv } from '#platform';

/** What a command reads and writes: a terminal, or a test. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  out(text: string): void;
  error(text: string): void;
  /** All of the standard input. */
  input(): Promise<string>;
}

/** A fault that the message alone explains: no stack is shown. */
export class CommandError extends Error {}

/** The settings. @throws CommandError naming those that are missing or malformed. */
export function settings(io: Io): Env {
  try {
    return readEnv(io.env);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}

/** One of several things that a command lists. */
export type Row = Readonly<Record<string, string>>;

/** What a command tells: ids, secrets and names. */
export type Result = Readonly<Record<string, string | readonly string[] | readonly Row[]>>;

/** What runs a command and tells its result. */
export type Told = <Args extends unknown[]>(
  command: (io: Io, ...args: Args) => Promise<Result>,
) => (...args: Args) => Promise<void>;

/** Tells a result: one JSON object for scripts, or a line per member and row for people. */
export function tell(io: Io, json: boolean, result: Result): void {
  if (json) return io.out(JSON.stringify(result));
  for (const [name, value] of Object.entries(result)) {
    if (typeof value === 'string') io.out(`${name}: ${value}`);
    else if (value.every((one) => typeof one === 'string')) io.out(`${name}: ${value.join(', ')}`);
    else for (const row of value) io.out(Object.values(row).join('  '));
  }
}
