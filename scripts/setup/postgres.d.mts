import type { ChildProcess } from 'node:child_process';
import type { PostgresTools } from './programs.mjs';
import type { Purpose } from './purpose.mjs';

export interface PostgresServer {
  readonly child: ChildProcess;
  readonly log: string;
  readonly port: number;
  /** Of the database that every run has. */
  readonly url: string;
  urlOf(database: string): string;
  /** @returns whether it is gone */
  stop(hurry?: AbortSignal): Promise<boolean>;
}

/**
 * Starts a private PostgreSQL on 127.0.0.1, on the data that is there.
 * @param options fresh: throw an earlier cluster away; port: the one to prefer
 */
export function startPostgres(
  purpose: Purpose,
  tools: PostgresTools,
  options?: { readonly fresh?: boolean; readonly port?: number },
): Promise<PostgresServer>;
