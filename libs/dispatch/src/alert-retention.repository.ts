import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Area } from '#geo';
import type { Localised, Texts } from './alert.types.ts';

/** What takes the place of what the public was told: it keeps every reader's shape, and says nothing. */
export interface Nothing {
  readonly area: Area;
  readonly place: Localised;
  readonly texts: Texts;
}

@Injectable()
export class AlertRetentionRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Ended alerts whose recipients are still known though all their cases closed so many days ago, or are erased. One that
   * still tells its ending keeps its recipients until it has.
   */
  async reducible(days: number, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT a.id FROM alerts a JOIN alert_closings closing ON closing.alert_id = a.id
       WHERE a.state = 'ended' AND a.recipients_forgotten_at IS NULL
         AND (closing.erased OR closing.closed_at < now() - make_interval(days => $1))
         AND NOT EXISTS (SELECT FROM waves w WHERE w.alert_id = a.id AND w.settled_at IS NULL)
       ORDER BY closing.closed_at LIMIT $2`,
      [days, limit],
    );
    return rows.map((row) => row.id);
  }

  /** Deletes recipient arrays. @returns how many */
  async deleteRecipients(alertId: string, limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `DELETE FROM batch_recipients WHERE batch_id IN (
         SELECT r.batch_id FROM batch_recipients r JOIN batches b ON b.id = r.batch_id WHERE b.alert_id = $1 LIMIT $2)`,
      [alertId, limit],
    );
    return deleted;
  }

  async markForgotten(alertId: string): Promise<void> {
    await this.dataSource.query(
      'UPDATE alerts SET recipients_forgotten_at = coalesce(recipients_forgotten_at, now()) WHERE id = $1',
      [alertId],
    );
  }

  /** Alerts all of whose cases are erased, and which are not. */
  async erasable(limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT a.id FROM alerts a JOIN alert_closings closing ON closing.alert_id = a.id
       WHERE a.erased_at IS NULL AND a.state <> 'live' AND closing.erased LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  /** @returns the alert's agency; null when it is erased already, or somebody else is at it */
  async lockErasable(tx: EntityManager, id: string): Promise<string | null> {
    const rows = await tx.query<{ agency_id: string }[]>(
      `SELECT agency_id FROM alerts WHERE id = $1 AND erased_at IS NULL AND state <> 'live' FOR UPDATE SKIP LOCKED`,
      [id],
    );
    return rows[0]?.agency_id ?? null;
  }

  /** Takes away what says who was looked for and where; counts, times and the slug stay. */
  async erase(tx: EntityManager, id: string, { area, place, texts }: Nothing): Promise<void> {
    await tx.query(
      `UPDATE alerts SET area = $2, origin = 'POINT(0 0)', place = $3, photo_id = NULL, erased_at = now() WHERE id = $1`,
      [id, area, place],
    );
    await tx.query('UPDATE messages SET texts = $2 WHERE alert_id = $1', [id, texts]);
    await tx.query('UPDATE waves SET area = NULL WHERE alert_id = $1', [id]);
    await tx.query('DELETE FROM alert_photos WHERE alert_id = $1', [id]);
    await tx.query(`UPDATE alert_changes SET content = '{}', reason = NULL WHERE alert_id = $1`, [id]);
    await tx.query(
      `UPDATE alert_lands SET land = ST_GeomFromText('MULTIPOLYGON EMPTY', 4326),
         reason = CASE WHEN reason IS NOT NULL THEN '' END WHERE alert_id = $1`,
      [id],
    );
  }
}
