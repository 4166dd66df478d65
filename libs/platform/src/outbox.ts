import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Coalesced } from './coalesced.ts';
import type { JobData, JobDefinition } from './jobs.ts';
import { QueueAdds } from './queue-adds.ts';
import { Span, traceParent } from './tracing.ts';
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
    const { queue, name } = job;
    await this.rows.insert(tx, { queue, name, data, job_id: jobId ?? null, trace_parent: traceParent() });
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
    const spans = rows.map(({ trace_parent, name }) => Span.under(trace_parent, 'outbox.relay', { job: name }));
    try {
      for (const [queue, jobs] of Map.groupBy(rows, (row) => row.queue)) {
        await this.queues.add(queue, jobs.map(toJob));
      }
    } finally {
      for (const span of spans) span?.end();
    }
    return rows.length;
  }
}

function toJob({ name, data, job_id, trace_parent }: OutboxRow) {
  const id = job_id === null ? {} : { jobId: job_id };
  return { name, data, opts: { ...id, ...(trace_parent !== null && { telemetry: { metadata: trace_parent } }) } };
}
