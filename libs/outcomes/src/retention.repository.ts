import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { KeptRecipients } from './retention.ts';

@Injectable()
export class RetentionRepository {
  async days(tx: EntityManager, agencyId: string): Promise<number | null> {
    const rows = await tx.query<{ days: number }[]>('SELECT retention_days AS days FROM agencies WHERE id = $1', [
      agencyId,
    ]);
    return rows[0]?.days ?? null;
  }

  /** Of the agency's ended alerts, those whose recipients are known `days` after closing at the latest. */
  async recipients(tx: EntityManager, agencyId: string, days: number): Promise<KeptRecipients> {
    const [row] = await tx.query<[KeptRecipients]>(
      `SELECT count(*) AS kept, count(*) FILTER (WHERE until <= now()) AS due,
         count(*) FILTER (WHERE until < now() - interval '1 day') AS overdue, min(until) FILTER (WHERE until > now()) AS "nextAt"
       FROM (
         SELECT closing.closed_at + make_interval(days => $2) AS until
         FROM alerts a LEFT JOIN alert_closings closing ON closing.alert_id = a.id
         WHERE a.agency_id = $1 AND a.released_at IS NOT NULL AND a.recipients_forgotten_at IS NULL
       ) held`,
      [agencyId, days],
    );
    return row;
  }
}
