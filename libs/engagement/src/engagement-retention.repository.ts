import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

const ms = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::float8`;

@Injectable()
export class EngagementRetentionRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Takes from forwards of alerts whose cases are all closed which recipient made them. @returns how many */
  async forgetForwarders(limit: number): Promise<number> {
    const [, forgotten] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE forwards SET batch_id = NULL, index = NULL WHERE id IN (
         SELECT f.id FROM forwards f JOIN alerts a ON a.id = f.alert_id AND a.state = 'ended'
           JOIN alert_closings closing ON closing.alert_id = a.id
         WHERE f.index IS NOT NULL LIMIT $1 FOR UPDATE OF f SKIP LOCKED)`,
      [limit],
    );
    return forgotten;
  }

  /** Takes from forwards which recipient made them where that device has left. @returns how many */
  async forgetGone(limit: number): Promise<number> {
    const [, forgotten] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE forwards SET batch_id = NULL, index = NULL WHERE id IN (
         SELECT f.id FROM forwards f JOIN batch_recipients r ON r.batch_id = f.batch_id
         WHERE f.index IS NOT NULL AND NOT EXISTS (SELECT FROM devices d WHERE d.id = r.ids[f.index + 1]) LIMIT $1 FOR UPDATE OF f SKIP LOCKED)`,
      [limit],
    );
    return forgotten;
  }

  /** Claims the counting of an alert for this transaction. @returns false when it is counted already */
  async begin(tx: EntityManager, alertId: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'INSERT INTO reduced_engagements (alert_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1',
      [alertId],
    );
    return rows.length > 0;
  }

  /** Counts recipients by what their phones said, and how long after their batch's last push. */
  async countReceipts(tx: EntityManager, alertId: string): Promise<void> {
    await tx.query(
      `INSERT INTO receipt_counts (alert_id, ending, kind, recipients, median_ms, p90_ms)
       SELECT $1, ending, kind, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY delay),
         percentile_cont(0.9) WITHIN GROUP (ORDER BY delay)
       FROM (
         SELECT w.audience = 'notified' AS ending, r.kind, greatest(${ms('r.at - b.last_push_at')}, 0) AS delay
         FROM receipts r JOIN batches b ON b.id = r.batch_id JOIN waves w ON w.id = b.wave_id
           JOIN messages m ON m.id = w.message_id
         WHERE b.alert_id = $1 AND (w.audience = 'ring' OR m.kind <> 'update')
       ) given GROUP BY 1, 2, 3`,
      [alertId],
    );
  }

  async countViews(tx: EntityManager, alertId: string): Promise<void> {
    await tx.query(
      `UPDATE forwards f SET views = (SELECT count(*) FROM views v WHERE v.forward_id = f.id) WHERE f.alert_id = $1`,
      [alertId],
    );
  }

  /** @returns how many */
  async deleteReceipts(alertId: string, limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `DELETE FROM receipts WHERE ctid = ANY (ARRAY(
         SELECT r.ctid FROM receipts r JOIN batches b ON b.id = r.batch_id WHERE b.alert_id = $1 LIMIT $2))`,
      [alertId, limit],
    );
    return deleted;
  }

  /** @returns how many */
  async deleteViews(alertId: string, limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `DELETE FROM views WHERE ctid = ANY (ARRAY(
         SELECT v.ctid FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1 LIMIT $2))`,
      [alertId, limit],
    );
    return deleted;
  }

  /** Deletes receipts that were being written while their alert was counted. @returns how many */
  async deleteLate(limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `DELETE FROM receipts WHERE ctid = ANY (ARRAY(
         SELECT r.ctid FROM reduced_engagements e JOIN batches b ON b.alert_id = e.alert_id JOIN receipts r ON r.batch_id = b.id
         WHERE e.at > now() - interval '2 days' LIMIT $1))`,
      [limit],
    );
    return deleted;
  }
}
