import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Alert } from './alert.entity.ts';
import type { LadderRing, LadderStep } from './ladder.types.ts';

@Injectable()
export class LadderRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Live alerts that may still climb, longest released first. */
  climbing(): Promise<Alert[]> {
    return this.dataSource.manager
      .createQueryBuilder(Alert, 'a')
      .where(
        `a.state = 'live' AND a.expires_at > now() AND a.tier <> 'page_only' AND a.held_at IS NULL AND a.stopped_at IS NULL
         AND a.ladder_ended_at IS NULL AND jsonb_array_length(a.ladder->'rings') > 0`,
      )
      .orderBy('a.released_at')
      .getMany();
  }

  /** What has become of an alert's rings, by their time, and PostgreSQL's present. What a freezing took back was never proposed. */
  async steps(
    alertId: string,
    tx: EntityManager = this.dataSource.manager,
  ): Promise<{ steps: LadderStep[]; now: Date }> {
    const [row] = await tx.query<[{ now: Date; steps: (Omit<LadderStep, 'at'> & { at: string })[] }]>(
      `SELECT clock_timestamp() AS now, coalesce((
         SELECT json_agg(step ORDER BY step."afterMinutes") FROM (
           SELECT s.after_minutes AS "afterMinutes", s.radius_m AS "radiusM",
             coalesce(s.fired_at, c.decided_at, c.created_at) AS at,
             CASE WHEN c.state IS NULL OR c.state = 'approved' THEN 'fired' WHEN c.state = 'proposed' THEN 'asked' ELSE 'declined' END AS state
           FROM ladder_steps s LEFT JOIN alert_changes c ON c.id = s.change_id
           WHERE s.alert_id = $1 AND c.state IS DISTINCT FROM 'withdrawn'
         ) step), '[]') AS steps`,
      [alertId],
    );
    return { now: row.now, steps: row.steps.map((step) => ({ ...step, at: new Date(step.at) })) };
  }

  /** Takes down that a ring was fired now, or proposed by a change. */
  async add(tx: EntityManager, alertId: string, ring: LadderRing, changeId: string | null): Promise<void> {
    await tx.query(
      `INSERT INTO ladder_steps (alert_id, after_minutes, radius_m, change_id, fired_at)
       VALUES ($1, $2, $3, $4, CASE WHEN $4::uuid IS NULL THEN clock_timestamp() END)
       ON CONFLICT (alert_id, after_minutes) DO UPDATE
       SET radius_m = excluded.radius_m, change_id = excluded.change_id, fired_at = excluded.fired_at`,
      [alertId, ring.afterMinutes, ring.radiusM, changeId],
    );
  }
}
