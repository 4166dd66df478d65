import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { DEADLINE } from './batch.repository.ts';

/** A batch that was set aside. */
export interface DeadLetter {
  readonly batchId: number;
  readonly alertId: string;
  /** Recipients whom it still owes. */
  readonly pending: number;
  /** `workers_died`, or the name of the error that its work threw. */
  readonly reason: string;
  readonly since: Date;
}

/** What decides whether a batch may be tried again. */
export interface DeadStanding {
  readonly alertId: string;
  readonly agencyId: string;
  readonly dead: boolean;
  readonly asks: boolean;
  readonly ended: boolean;
  readonly stopped: boolean;
  readonly held: boolean;
  readonly overdue: boolean;
}

/** What makes a dead batch pending, as if nothing had gone wrong with it yet. */
const ALIVE = `state = 'pending', dead_reason = NULL, dead_at = NULL, attempt = 0, barren = 0, faults = 0`;

@Injectable()
export class DeadLetterRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Oldest first. */
  list(): Promise<DeadLetter[]> {
    return this.dataSource.query<DeadLetter[]>(
      `SELECT id AS "batchId", alert_id AS "alertId", pending, dead_reason AS reason, dead_at AS since
       FROM batches WHERE state = 'dead' ORDER BY dead_at, id`,
    );
  }

  async standing(tx: EntityManager, batchId: number): Promise<DeadStanding | null> {
    const rows = await tx.query<DeadStanding[]>(
      `SELECT a.id AS "alertId", a.agency_id AS "agencyId", b.state = 'dead' AS dead, w.audience = 'ring' AS asks, a.state = 'ended' AS ended,
         a.stopped_at IS NOT NULL AS stopped, a.held_at IS NOT NULL AND NOT w.passes_hold AS held, ${DEADLINE} <= now() AS overdue
       FROM batches b JOIN waves w ON w.id = b.wave_id JOIN alerts a ON a.id = b.alert_id
         JOIN messages m ON m.alert_id = a.id AND m.version = b.version
       WHERE b.id = $1`,
      [batchId],
    );
    return rows[0] ?? null;
  }

  /** Those whose time is over wait for nobody any more: pending again, they are given up when claimed. */
  async releaseOverdue(): Promise<void> {
    await this.dataSource.query(
      `UPDATE batches b SET ${ALIVE}, run_at = now() FROM waves w, alerts a, messages m
       WHERE b.state = 'dead' AND w.id = b.wave_id AND a.id = b.alert_id AND m.alert_id = a.id AND m.version = b.version AND ${DEADLINE} <= now()`,
    );
  }

  /** Owed from now on: what was not sent while it was dead is no gap. */
  async revive(tx: EntityManager, batchId: number): Promise<void> {
    await tx.query(`UPDATE batches SET ${ALIVE}, run_at = now(), due_at = now() WHERE id = $1 AND state = 'dead'`, [
      batchId,
    ]);
  }
}
