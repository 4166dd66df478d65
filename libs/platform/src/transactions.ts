import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { JobData, JobDefinition } from './jobs.ts';
import { Outbox } from './outbox.ts';

/** A database transaction and what it promises for after its commit. */
export interface UnitOfWork {
  readonly tx: EntityManager;
  /** Adds a job once the transaction has committed; see {@link Outbox}. */
  readonly enqueue: <Job extends JobDefinition>(job: Job, data: JobData<Job>, jobId?: string) => Promise<void>;
}

/** Runs work in one transaction (READ COMMITTED) and kicks the outbox when it has committed. */
@Injectable()
export class Transactions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Resolves with what `work` returns once it is committed; any throw rolls everything back. */
  async run<Result>(work: (unit: UnitOfWork) => Promise<Result>): Promise<Result> {
    let promised = false;
    const result = await this.dataSource.transaction((tx) =>
      work({
        tx,
        enqueue: async (job, data, jobId) => {
          promised = true;
          await this.outbox.add(tx, job, data, jobId);
        },
      }),
    );
    // Not awaited: the commit has happened, and the answer must not wait for Redis.
    if (promised) void this.outbox.flush();
    return result;
  }
}
