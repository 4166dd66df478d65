import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Metrics } from './metrics.ts';

/** How often it is looked whether somebody waits: the pool does not tell. */
const LOOK_MS = 250;

/** The connections of this process to PostgreSQL: how many are in use, and whether somebody has to wait for one. */
@Injectable()
export class DatabasePool implements OnApplicationShutdown {
  private readonly timer = setInterval(() => this.look(), LOOK_MS).unref();
  private waitingSince: number | undefined;

  constructor(
    private readonly dataSource: DataSource,
    metrics: Metrics,
  ) {
    metrics.gauge(
      'golden72_database_connections',
      'Connections of this process to PostgreSQL, by what they do.',
      ['state'],
      () => this.connections(),
    );
    metrics.gauge('golden72_database_waiting', 'Who waits for a connection to come free.', [], () => this.waiting);
    metrics.gauge(
      'golden72_database_waited_seconds',
      'How long somebody or other has waited for a connection; 0 while nobody does.',
      [],
      () => this.waitedMs / 1000,
    );
  }

  /** Milliseconds for which there has been somebody who waits, as far as looking now and then shows. */
  get waitedMs(): number {
    return this.waitingSince === undefined ? 0 : performance.now() - this.waitingSince;
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    if (this.waiting === 0) this.waitingSince = undefined;
    else this.waitingSince ??= performance.now();
  }

  private get waiting(): number {
    return this.pool?.waitingCount ?? 0;
  }

  private connections(): [{ state: string }, number][] {
    const { totalCount = 0, idleCount = 0 } = this.pool ?? {};
    return [
      [{ state: 'used' }, totalCount - idleCount],
      [{ state: 'idle' }, idleCount],
    ];
  }

  /** Undefined before the first connection. */
  private get pool(): Pool | undefined {
    // TypeORM's own type of it is `any`.
    return (this.dataSource.driver as unknown as { readonly master?: Pool }).master;
  }
}
