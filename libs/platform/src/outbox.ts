import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Coalesced } from './coalesced.ts';
import type { JobData, JobDefinition } from './jobs.ts';
import { QueueAdds } from './queue-adds.ts';
import { type OutboxLag, OutboxRepository, type OutboxRow } from './outbox.repository.ts';

/** Rows relayed in one transaction; bounds how long their locks are held. */
const RELAY_CHUNK = 100;

const KEPT_DAYS = 7;

/**
 * Jobs promised inside a database transaction and handed to BullMQ after its commit: a crash between the two
 * loses nothing, because the row stays until Redis has taken the job.
 */
@Injectable()
export class Outbox implements OnApplicationShutdown {
  private readonly logger = new Logger(Outbox.name);
  private readonly relaying = new Coalesced(() => this.relayAll());

  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: OutboxRepository,
    private readonly queues: QueueAdds,
  ) {}

  /** Promises a job; it is added to its queue once `tx` has committed. */
  async add<Job extends JobDefinition>(tx: EntityManager, job: Job, data: JobData<Job>, jobId?: string): Promise<void> {
    await this.rows.insert(tx, { queue: job.queue, name: job.name, data, job_id: jobId ?? null });
  }

  /** Forgets promises that nobody could keep for a week: what they were for is read from the database anew. @returns how many */
  forgetOld(): Promise<number> {
    return this.rows.deleteOld(this.dataSource.manager, KEPT_DAYS);
  }

  /**
   * Relays what has been promised. Calls while a relay runs are merged into one more round.
   * A failure is logged and leaves the rows for the next call (the worker calls every few seconds).
   */
  flush(): Promise<void> {
    return this.relaying.run();
  }

  /** How far relaying is behind. */
  lag(): Promise<OutboxLag> {
    return this.rows.lag(this.dataSource.manager);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.relaying.idle();
  }

  private async relayAll(): Promise<void> {
    try {
      while ((await this.dataSource.transaction((tx) => this.relay(tx))) === RELAY_CHUNK);
    } catch (error) {
      this.logger.error({ err: error }, 'the outbox could not be relayed; its rows stay');
    }
  }

  private async relay(tx: EntityManager): Promise<number> {
    const rows = await this.rows.take(tx, RELAY_CHUNK);
    for (const [queue, jobs] of Map.groupBy(rows, (row) => row.queue)) {
      await this.queues.add(queue, jobs.map(toJob));
    }
    return rows.length;
  }
}

function toJob(row: OutboxRow) {
  return { name: row.name, data: row.data, opts: row.job_id === null ? {} : { jobId: row.job_id } };
}
