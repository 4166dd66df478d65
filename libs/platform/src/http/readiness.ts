import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { DatabasePool } from '../database-pool.ts';
import { GroupCommits } from '../group-commits.ts';
import { inTime } from '../in-time.ts';
import { Metrics } from '../metrics.ts';
import { REDIS } from '../redis.ts';

/** A server that a process uses; what it needs is that without which it cannot do its work. */
export type Need = 'postgres' | 'redis';

/** Injection token of the {@link Need}s of this process. */
export const NEEDS = Symbol('NEEDS');

/** How a part does: `ok`, or in a word what is wrong with it. */
type PartState = 'ok' | 'unreachable' | 'exhausted' | 'full' | 'late' | 'no_credentials';

/** What a part can say of itself; one that throws or takes too long is unreachable. */
export type Check = () => PartState | Promise<PartState>;

interface Part {
  readonly check: Check;
  readonly needed: boolean;
}

interface ReadinessReport {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, PartState>>;
  readonly stopping: boolean;
}

/** Milliseconds a check may take: a server that hangs is as far away as one that refuses. */
const CHECK_MS = 2_000;
/** Somebody waits for a connection of this process for so long: what comes next would wait, too. */
const EXHAUSTED_MS = 2_000;
/** Share of what may wait for a group commit: from there on others should be asked, before any is refused. */
const FULL = 0.8;

/**
 * Whether this process can do its work now: its servers answer, nothing overflows and it is not stopping. It says no before work is
 * lost, so that a balancer sends it elsewhere.
 */
@Injectable()
export class Readiness implements OnModuleDestroy {
  private readonly parts = new Map<string, Part>();
  private stops = false;

  constructor(
    @Inject(NEEDS) needs: readonly Need[],
    dataSource: DataSource,
    @Inject(REDIS) redis: Redis,
    pool: DatabasePool,
    commits: GroupCommits,
    metrics: Metrics,
  ) {
    const server = (name: Need, ask: () => Promise<unknown>) =>
      this.add(name, () => ask().then(() => 'ok'), needs.includes(name));
    server('postgres', () => dataSource.query('SELECT 1'));
    server('redis', () => redis.ping());
    this.add('pool', () => (pool.waitedMs >= EXHAUSTED_MS ? 'exhausted' : 'ok'));
    this.add('writes', () => (commits.fullness >= FULL ? 'full' : 'ok'));
    metrics.gauges('readiness', () => this.report(), [
      {
        name: 'golden72_ready',
        help: 'Whether the process can do its work (1) or says that it cannot (0).',
        of: ({ ready }) => Number(ready),
      },
      {
        name: 'golden72_part_ok',
        help: 'Whether a part of the process does (1) or does not (0), needed or not.',
        labels: ['part'],
        of: ({ parts }) => Object.entries(parts).map(([part, state]) => [{ part }, Number(state === 'ok')]),
      },
    ]);
  }

  /** Adds a part. @param needed whether the process is not ready without it */
  add(name: string, check: Check, needed = true): void {
    this.parts.set(name, { check, needed });
  }

  /** Whether the process has been told to end. */
  get stopping(): boolean {
    return this.stops;
  }

  /** Before anything else of the end. */
  onModuleDestroy(): void {
    this.stops = true;
  }

  /** Every part by name; the reason of a failure is for the log of that part, not for whoever asks. */
  async report(): Promise<ReadinessReport> {
    const asked = [...this.parts].map(async ([name, { check }]) => [name, await stateOf(check)] as const);
    const parts = Object.fromEntries(await Promise.all(asked));
    const able = [...this.parts].every(([name, { needed }]) => !needed || parts[name] === 'ok');
    return { ready: able && !this.stops, parts, stopping: this.stops };
  }
}

async function stateOf(check: Check): Promise<PartState> {
  try {
    return await inTime(CHECK_MS, 'no answer in time', Promise.try(check));
  } catch {
    return 'unreachable';
  }
}
