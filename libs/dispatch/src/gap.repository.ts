import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { NIGHT_FROM_HOUR, NIGHT_UNTIL_HOUR } from './night.ts';

/** After so long without a push that was owed an alert is old: it does not wake people by itself. */
const GAP = `interval '15 minutes'`;

/** An alert is looked at so long before there could be a gap: long enough for a few sweeps, and seldom where pushes are accepted. */
const LOOK = `interval '1 minute'`;

/** So few left over, whom the provider alone refuses, are no silence. */
const LEFT_OVER = 0.01;

/** The present where the child was last seen. */
const LOCAL = `(now() AT TIME ZONE a.zone)`;

/** A serious alert's ring is owed by day only. */
const BY_DAY = `(a.tier = 'serious' AND w.audience = 'ring')`;
const NIGHT = `(extract(hour FROM ${LOCAL}) >= ${NIGHT_FROM_HOUR} OR extract(hour FROM ${LOCAL}) < ${NIGHT_UNTIL_HOUR})`;
const MORNING = `(date_trunc('day', ${LOCAL}) + interval '${NIGHT_UNTIL_HOUR} hours') AT TIME ZONE a.zone`;

/** Since when a batch has owed its pushes: neither a hold counts nor, of a serious alert's ring, the night. */
export const OWED_SINCE = `greatest(
  b.due_at, CASE WHEN NOT w.passes_hold THEN a.resumed_at END, CASE WHEN ${BY_DAY} THEN ${MORNING} END)`;

/**
 * Since when the alert has owed somebody a push and none was accepted; null while it owes none. Dead batches wait for a person, and what
 * passes a hold is never held.
 */
const SILENT_SINCE = `(
  SELECT greatest(min(since), (SELECT max(last_push_at) FROM batches WHERE alert_id = a.id)) FROM (
    SELECT since, sum(pending) OVER (ORDER BY since) AS pending FROM (
      SELECT ${OWED_SINCE} AS since, b.pending
      FROM waves w JOIN batches b ON b.wave_id = w.id
      WHERE w.alert_id = a.id AND w.settled_at IS NULL AND NOT w.passes_hold AND b.state IN ('pending', 'leased')
        AND b.due_at <= now() AND NOT (${BY_DAY} AND ${NIGHT})
    ) owed
  ) owed
  WHERE pending > ${LEFT_OVER} * (SELECT sum(targeted) FROM waves WHERE alert_id = a.id)
  HAVING min(since) IS NOT NULL)`;

/** Nothing new of the alert is claimed from then on, until somebody has looked whether there is a gap. */
export const CLAIMED_UNTIL = `greatest(
  coalesce((SELECT until FROM gap_watches WHERE alert_id = a.id), a.released_at + ${GAP}), a.resumed_at + ${GAP})`;

const WATCHED = `a.state = 'live' AND a.held_at IS NULL AND a.tier <> 'page_only'`;

@Injectable()
export class GapRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Looks at live alerts that could soon have a gap. Of those without a gap it notes when there would be one if nothing more
   * were accepted: whoever claims before then comes in time, however long everybody was away since this look.
   * @returns alerts with a gap
   */
  async look(): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `WITH looked AS (
         SELECT a.id, ${SILENT_SINCE} + ${GAP} AS until FROM alerts a
         WHERE ${WATCHED} AND ${CLAIMED_UNTIL} < now() + ${LOOK}
       ), noted AS (
         INSERT INTO gap_watches (alert_id, until)
         SELECT id, coalesce(until, now() + ${GAP}) FROM looked WHERE until IS NULL OR until > now() ORDER BY id
         ON CONFLICT (alert_id) DO UPDATE SET until = excluded.until WHERE gap_watches.until <> excluded.until
       )
       SELECT id FROM looked WHERE until <= now() ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  async isGap(tx: EntityManager, alertId: string): Promise<boolean> {
    const [row] = await tx.query<{ gap: boolean }[]>(
      `SELECT coalesce(${SILENT_SINCE} + ${GAP} <= now(), false) AS gap FROM alerts a WHERE a.id = $1`,
      [alertId],
    );
    return row?.gap ?? false;
  }
}
