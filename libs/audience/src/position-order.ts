import { setTimeout } from 'node:timers/promises';
import { type DataSource, QueryFailedError } from 'typeorm';
import { Refusal } from '#platform';
import type { PositionOrderRefusal } from './audience.errors.ts';
import { type Orderliness, PositionOrderRepository } from './position-order.repository.ts';

/** From here on reordering pays: an audience takes twice as long as it could. See docs/adr/0016-order-of-positions.md. */
const SPREAD_THAT_PAYS = 3;

/** Rows of one statement of the copy, and notes of one statement that catches up. */
const PIECE = { rows: 20_000, notes: 5_000 };

/** So many notes are taken while everybody waits: some 20 ms. */
const LAST_NOTES = 500;

/**
 * Milliseconds for which a lock is waited for, and others behind it, one attempt after the other. The longest lets PostgreSQL
 * call an autovacuum off, which it does after `deadlock_timeout`, 1 s.
 */
const LOCK_MS = [50, 100, 100, 200, 200, 400, 1_500] as const;
const PAUSE_MS = 500;

export interface OrderReport extends Orderliness {
  /** Whether a copy is under way, or was when its program ended. */
  readonly begun: boolean;
  readonly pays: boolean;
}

/**
 * Keeps the pages of `positions` in the order of their cells, by which an audience reads neighbours from one page. Reordering
 * fills an ordered copy beside the table, takes over what changes meanwhile, and puts it in the table's place. It may be ended
 * at any time: what is there stays right, and the next run goes on.
 */
export class PositionOrder {
  private readonly repository: PositionOrderRepository;

  /** @param dataSource the owner's, without a time-out for statements */
  constructor(private readonly dataSource: DataSource) {
    this.repository = new PositionOrderRepository(dataSource);
  }

  async report(): Promise<OrderReport> {
    const orderliness = await this.repository.orderliness();
    return {
      ...orderliness,
      begun: await this.repository.isBegun(),
      pays: orderliness.spread >= SPREAD_THAT_PAYS,
    };
  }

  /**
   * @param progress called with the rows read so far in this run
   * @throws Refusal `reorder_running`, `reorder_barred`
   */
  reorder(progress: (rows: number) => void = () => undefined): Promise<void> {
    return this.alone(async () => {
      const strangers = await this.repository.strangers();
      if (strangers.length > 0) {
        const detail = `An ordered copy of positions would lack: ${strangers.join(', ')}. Teach the reordering first.`;
        throw new Refusal<PositionOrderRefusal>('reorder_barred', detail, { strangers });
      }
      if (!(await this.repository.isBegun())) await this.patiently((lockMs) => this.repository.begin(lockMs));
      await this.copy(progress);
      await this.repository.index();
      for (let done = false; !done;) {
        while ((await this.repository.backlog(LAST_NOTES)) >= LAST_NOTES) await this.repository.catchUp(PIECE.notes);
        done = await this.patiently((lockMs) => this.repository.swap(lockMs, 4 * LAST_NOTES));
      }
      await this.repository.validate();
    });
  }

  /** Gives up what {@link reorder} has begun. */
  abandon(): Promise<void> {
    return this.alone(() => this.patiently((lockMs) => this.repository.abandon(lockMs)));
  }

  private async copy(progress: (rows: number) => void): Promise<void> {
    let rows = 0;
    for (let from = await this.repository.copied(); from; from = await this.repository.copied()) {
      const read = await this.repository.copy(from, PIECE.rows);
      progress((rows += read));
      if (read > 0) continue;
      if (from.cell === null) await this.repository.allCopied();
      else await this.repository.turnToNowhere();
    }
  }

  /** Tries again while a lock is not to be had, for those who wait behind it go first each time. */
  private async patiently<Result>(attempt: (lockMs: number) => Promise<Result>): Promise<Result> {
    for (let n = 0; ; n++) {
      try {
        return await attempt(LOCK_MS[n % LOCK_MS.length] as number);
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        await setTimeout(PAUSE_MS);
      }
    }
  }

  private async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const holder = this.dataSource.createQueryRunner();
    try {
      if (!(await this.repository.lock(holder))) {
        const detail = 'Positions are being reordered by another program: wait for it, or end it first.';
        throw new Refusal<PositionOrderRefusal>('reorder_running', detail);
      }
      return await work();
    } finally {
      await holder.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      await holder.release();
    }
  }
}

/** `lock_not_available` (PostgreSQL, appendix A). */
function isLockTimeout(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: string }).code === '55P03';
}
