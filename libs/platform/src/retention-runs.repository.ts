import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What a step of the retention did when it was last run. */
export interface RetentionRun {
  readonly step: string;
  /** When it last ended well; null when it never did. */
  readonly ranAt: Date | null;
  /** What it forgot then, in units of its own. */
  readonly forgotten: number;
  /** When it last failed, if that was after it last ended well. */
  readonly failedAt: Date | null;
}

@Injectable()
export class RetentionRunsRepository {
  async ran(tx: EntityManager, step: string, forgotten: number): Promise<void> {
    await tx.query(
      `INSERT INTO retention_runs (step, ran_at, forgotten) VALUES ($1, now(), $2)
       ON CONFLICT (step) DO UPDATE SET ran_at = now(), forgotten = $2, failed_at = NULL`,
      [step, forgotten],
    );
  }

  async failed(tx: EntityManager, step: string): Promise<void> {
    await tx.query(
      `INSERT INTO retention_runs (step, failed_at) VALUES ($1, now())
       ON CONFLICT (step) DO UPDATE SET failed_at = now()`,
      [step],
    );
  }

  all(tx: EntityManager): Promise<RetentionRun[]> {
    return tx.query<RetentionRun[]>(
      'SELECT step, ran_at AS "ranAt", forgotten, failed_at AS "failedAt" FROM retention_runs',
    );
  }
}
