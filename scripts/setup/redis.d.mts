import type { ChildProcess } from 'node:child_process';
import type { Purpose } from './purpose.mjs';

export interface RedisServer {
  readonly child: ChildProcess;
  readonly log: string;
  readonly port: number;
  readonly url: string;
  /** @returns whether it is gone */
  stop(hurry?: AbortSignal): Promise<boolean>;
}

/** Starts a private Redis on 127.0.0.1, empty. @param options port: the one to prefer */
export function startRedis(
  purpose: Purpose,
  binary: string,
  options?: { readonly port?: number },
): Promise<RedisServer>;
