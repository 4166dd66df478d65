import type { Deployment } from '../test/harness/deployment.ts';
import type { World } from './world.ts';

export const SIZES = { tiny: 20_000, small: 1_000_000, full: 10_000_000 } as const;
/** How many devices the world has; `tiny` only shows that the benchmark itself works. */
export type Size = keyof typeof SIZES;

/** What a part may use of the run it belongs to. */
export interface Bench {
  readonly size: Size;
  /** Devices of the world. */
  readonly devices: number;
  /** How often each contender runs; medians are told, and the medians of each round's ratios. */
  readonly rounds: number;
  /** The clone, built. */
  readonly root: string;
  readonly redisUrl: string;
  /** A folder for logs and certificates, gone after the run. */
  readonly dir: string;
  /** A line of progress, on stderr. */
  say(line: string): void;
  /** Raised when the run is to end: between rounds and in loops, look. */
  readonly stop: AbortSignal;
  /** A new database with the present schema. @returns its address */
  database(name: string): Promise<string>;
  /** Devices over the real towns of China in a database of their own, made once a run. */
  world(): Promise<World>;
  /** The built processes, for parts that measure them. */
  deployment(): Deployment;
}

/** One line of the table that people read. */
export interface Row {
  /** What was measured, e.g. `audience, exact ids in 120 km`. */
  readonly what: string;
  /** Ours or the peer's name. */
  readonly contender: string;
  /** With its unit, e.g. `143 ms` or `21 400/s`. */
  readonly measured: string;
  /** Lowest to highest over the rounds, with the unit. */
  readonly spread?: string;
  /** Ours against this peer and what it should be, e.g. `9.2× (≥ 8×)`. */
  readonly ratio?: string;
  /** Whether the target was reached; left out where there is none. */
  readonly reached?: boolean;
}

/** What a part found: rows for people, figures for programs (merged over all parts by their first key). */
export interface Findings {
  readonly rows: readonly Row[];
  readonly figures: Readonly<Record<string, unknown>>;
}

/** One subject, measured against its peers in one run. It stops what it starts. */
export interface Part {
  readonly name: string;
  /** Left out of smaller runs, unless it is named. */
  readonly onlyFull?: boolean;
  run(bench: Bench): Promise<Findings>;
}
