import { readdirSync, readlinkSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { Stage } from '../chaos/stage.ts';
import { memoryMb } from '../harness/deployment.ts';
import type { Reading } from './trend.ts';

/** What is measured of something, e.g. of a process. */
export type Measure =
  | 'resident MB'
  | 'heap MB'
  | 'descriptors'
  | 'sockets'
  | 'loop lag p99 ms'
  | 'connections'
  | 'memory MB'
  | 'keys kept'
  | 'keys that expire'
  | 'jobs queued'
  | 'rows waiting'
  | 'rows turned over'
  | 'written MB';

/** One measure over time. */
export interface Series {
  readonly measure: Measure;
  readonly of: string;
  readonly readings: readonly Reading[];
}

interface Watched {
  readonly name: string;
  readonly pid: number;
  /** Where it tells its metrics; null for a process that tells none. */
  readonly url: string | null;
}

const MB = 2 ** 20;
const QUEUES = ['dispatch', 'feed', 'purge'] as const;

/** Everything sampled of a stage. */
export class Samples {
  readonly #stage: Stage;
  readonly #redis: Redis;
  readonly #watched: readonly Watched[];
  readonly #series = new Map<string, Series & { readonly readings: Reading[] }>();

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#redis = new Redis(stage.run.servers.redisUrl());
    const workers = stage.workers.map(({ pid, ready }, n) => ({
      name: `worker ${n + 1}`,
      pid,
      url: (ready as { readonly url: string }).url,
    }));
    const named = { api: stage.api, public: stage.public };
    this.#watched = [
      ...Object.entries(named).map(([name, { pid, ready }]) => ({ name, pid, url: ready.url })),
      ...workers,
      { name: 'simulator', pid: stage.simulatorPid, url: null },
      { name: 'this program', pid: process.pid, url: null },
    ];
  }

  get series(): readonly Series[] {
    return [...this.#series.values()];
  }

  /** The newest value of a measure. */
  last(measure: Measure, of: string): number {
    return this.#series.get(`${measure} ${of}`)?.readings.at(-1)?.value ?? NaN;
  }

  /** A measure's readings, by what it is of. */
  readingsOf(measure: Measure): ReadonlyMap<string, readonly Reading[]> {
    return new Map(this.series.filter((each) => each.measure === measure).map(({ of, readings }) => [of, readings]));
  }

  async take(): Promise<void> {
    await Promise.all([...this.#watched.map((each) => this.#process(each)), this.#ofRedis(), this.#ofPostgres()]);
  }

  close(): void {
    this.#redis.disconnect();
  }

  #note(measure: Measure, of: string, value: number): void {
    const key = `${measure} ${of}`;
    const series = this.#series.get(key) ?? { measure, of, readings: [] };
    series.readings.push({ at: Date.now(), value });
    this.#series.set(key, series);
  }

  async #process({ name, pid, url }: Watched): Promise<void> {
    const open = openOf(pid);
    this.#note('resident MB', name, memoryMb(pid).now);
    this.#note('descriptors', name, open.length);
    this.#note('sockets', name, open.filter((target) => target.startsWith('socket:')).length);
    if (url === null) return;
    const metrics = await (await fetch(new URL('/metrics', url))).text();
    this.#note('heap MB', name, valueIn(metrics, 'nodejs_heap_size_used_bytes') / MB);
    this.#note('loop lag p99 ms', name, valueIn(metrics, 'nodejs_eventloop_lag_p99_seconds') * 1000);
  }

  async #ofRedis(): Promise<void> {
    this.#note('memory MB', 'redis', valueIn(await this.#redis.info('memory'), 'used_memory') / MB);
    const [, keys, expire] = /keys=(\d+),expires=(\d+)/.exec(await this.#redis.info('keyspace')) ?? [];
    this.#note('keys kept', 'redis', Number(keys ?? 0) - Number(expire ?? 0));
    this.#note('keys that expire', 'redis', Number(expire ?? 0));
    for (const queue of QUEUES) {
      const key = (part: string) => `bull:${queue}:${part}`;
      const lists = await Promise.all([this.#redis.llen(key('wait')), this.#redis.llen(key('active'))]);
      const sets = await Promise.all([this.#redis.zcard(key('prioritized')), this.#redis.zcard(key('delayed'))]);
      const jobs = [...lists, ...sets].reduce((sum, each) => sum + each, 0);
      this.#note('jobs queued', queue, jobs);
    }
  }

  async #ofPostgres(): Promise<void> {
    const { ledger } = this.#stage;
    const connections = await ledger.query<{ name: string; count: number }>(
      `SELECT application_name AS name, count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> '' GROUP BY 1`,
    );
    for (const { name, count } of connections) this.#note('connections', name, count);
    const [row] = await ledger.query<{ outbox: number; wal: number }>(
      `SELECT (SELECT count(*)::int FROM outbox) AS outbox, (pg_current_wal_lsn() - '0/0')::float8 AS wal`,
    );
    this.#note('rows waiting', 'outbox', row?.outbox ?? NaN);
    this.#note('written MB', 'WAL', (row?.wal ?? NaN) / MB);
    const tables = await ledger.query<{ name: string; rows: number }>(
      `SELECT relid::regclass::text AS name, (n_tup_upd + n_tup_del)::float8 AS rows FROM pg_stat_all_tables
       WHERE schemaname IN ('public', 'vault')`,
    );
    for (const { name, rows } of tables) this.#note('rows turned over', name, rows);
  }
}

/** What a process's descriptors stand for (proc(5), `fd`). */
function openOf(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  return readdirSync(dir).flatMap((fd) => {
    try {
      return [readlinkSync(`${dir}/${fd}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}

/** A value by its name: a line `name 1` of Prometheus's text, or `name:1` of what Redis tells; NaN without. */
function valueIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}[ :]([\\d.e+-]+)\\s*$`, 'm').exec(text)?.[1] ?? NaN);
}
