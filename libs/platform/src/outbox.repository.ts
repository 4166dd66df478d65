import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export interface OutboxRow {
  readonly id: number;
  readonly queue: string;
  readonly name: string;
  readonly data: unknown;
  /** The trace in which it was promised. */
  readonly trace_parent: string | null;
  /** BullMQ job id; a second row with the id of a job still in the queue adds nothing. */
  readonly job_id: string | null;
}

/** Promises not yet handed on. */
export interface OutboxLag {
  /** How many, up to 10 000. */
  readonly rows: number;
  /** Seconds since the oldest was committed to; 0 without any. */
  readonly oldestS: number;
}

@Injectable()
export class OutboxRepository {
  async insert(tx: EntityManager, row: Omit<OutboxRow, 'id'>): Promise<void> {
    await tx.query('INSERT INTO outbox (queue, name, data, job_id, trace_parent) VALUES ($1, $2, $3, $4, $5)', [
      row.queue,
      row.name,
      JSON.stringify(row.data),
      row.job_id,
      row.trace_parent,
    ]);
  }

  /** @returns how many */
  async deleteOld(tx: EntityManager, days: number): Promise<number> {
    const [, deleted] = await tx.query<[unknown[], number]>(
      'DELETE FROM outbox WHERE created_at < now() - make_interval(days => $1)',
      [days],
    );
    return deleted;
  }

  /** Takes the oldest rows for this transaction; rows another relay holds are skipped. */
  async take(tx: EntityManager, limit: number): Promise<OutboxRow[]> {
    const [rows] = await tx.query<[OutboxRow[], number]>(
      `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING id, queue, name, data, job_id, trace_parent`,
      [limit],
    );
    return rows.sort((a, b) => a.id - b.id);
  }

  async lag(tx: EntityManager): Promise<OutboxLag> {
    const [row] = await tx.query<[OutboxLag]>(
      `SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT 10000) waiting) AS rows,
         coalesce((SELECT extract(epoch FROM now() - created_at)::float8 FROM outbox ORDER BY id LIMIT 1), 0) AS "oldestS"`,
    );
    return row;
  }
}
