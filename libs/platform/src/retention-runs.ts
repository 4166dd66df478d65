import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type RetentionRun, RetentionRunsRepository } from './retention-runs.repository.ts';

/** Remembers what was forgotten when, so that whoever answers for it can see that it happens. */
@Injectable()
export class RetentionRuns {
  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: RetentionRunsRepository,
  ) {}

  /**
   * Runs a step and notes how it went.
   * @returns how much it forgot
   * @throws whatever the step throws, once it is noted
   */
  async run(step: string, work: () => Promise<number>): Promise<number> {
    const { manager } = this.dataSource;
    try {
      const forgotten = await work();
      await this.runs.ran(manager, step, forgotten);
      return forgotten;
    } catch (error) {
      await this.runs.failed(manager, step);
      throw error;
    }
  }

  all(tx: EntityManager): Promise<RetentionRun[]> {
    return this.runs.all(tx);
  }
}

/** Repeats a bounded piece of work until it finds less than `limit` to do, at most `rounds` times; the rest is the next run's. */
export async function inPieces(
  limit: number,
  rounds: number,
  piece: (limit: number) => Promise<number>,
): Promise<number> {
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    const found = await piece(limit);
    done += found;
    if (found < limit) break;
  }
  return done;
}

/**
 * Does something to each, one after the other: one that fails keeps none of the others.
 * @returns the sum of what `work` counts
 * @throws AggregateError at the end, of all that failed
 */
export async function sumOver<Item>(items: readonly Item[], work: (item: Item) => Promise<number>): Promise<number> {
  let sum = 0;
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      sum += await work(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} of ${items.length} could not be done`);
  return sum;
}
