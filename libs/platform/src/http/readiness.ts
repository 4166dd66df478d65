import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { REDIS } from '../redis.ts';

/** A server that a process uses; what it needs is that without which it cannot do its work. */
export type Need = 'postgres' | 'redis';

/** Injection token of the {@link Need}s of this process. */
export const NEEDS = Symbol('NEEDS');

/** What a part can say of itself: fulfilled when it works. */
export type Check = () => Promise<unknown>;

/** Milliseconds a check may take: a server that hangs is as far away as one that refuses. */
const CHECK_MS = 2_000;

/** Whether this process can do its work now: its servers answer and it is not stopping. */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private readonly checks = new Map<string, Check>();
  private readonly needs: Set<string>;
  private stopping = false;

  constructor(@Inject(NEEDS) needs: readonly Need[], dataSource: DataSource, @Inject(REDIS) redis: Redis) {
    this.add('postgres', () => dataSource.query('SELECT 1'));
    this.add('redis', () => redis.ping());
    this.needs = new Set(needs);
  }

  private add(name: Need, check: Check): void {
    this.checks.set(name, check);
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** Every part by name; the reason of a failure is for the log of that part, not for whoever asks. */
  async report(): Promise<{ ready: boolean; parts: Record<string, 'ok' | 'unreachable'>; stopping: boolean }> {
    const asked = [...this.checks].map(async ([name, check]) => [name, await answers(check)] as const);
    const parts = Object.fromEntries(await Promise.all(asked));
    const ready =
      !this.stopping && Object.entries(parts).every(([part, state]) => state === 'ok' || !this.needs.has(part));
    return { ready, parts, stopping: this.stopping };
  }
}

async function answers(check: Check): Promise<'ok' | 'unreachable'> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
  try {
    await Promise.race([check(), late]);
    return 'ok';
  } catch {
    return 'unreachable';
  } finally {
    clearTimeout(timer);
  }
}
