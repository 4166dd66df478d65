import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Cause, Outcome } from '#cases';
import type { Tier } from '#dispatch';
import type { Dismissal, SightingSource, SightingState } from '#sightings';
import type { Asked, Counted, WithheldCounts } from './funnel.ts';

export interface CaseRow {
  readonly outcome: Outcome | null;
  readonly cause: Cause | null;
  readonly closedAt: Date | null;
}

export interface AlertRow {
  readonly alertId: string;
  readonly slug: string;
  readonly tier: Tier;
  readonly releasedAt: Date;
  readonly endedAt: Date | null;
}

/** Waves that ask, or the wave that tells those who were asked. */
interface OfAlert {
  readonly alertId: string;
  readonly ending: boolean;
}

export interface AskedRow extends OfAlert, Asked<Counted> {
  readonly firstPushMs: number | null;
  readonly lastPushMs: number | null;
}

export interface WithheldRow extends OfAlert {
  readonly withheld: WithheldCounts<Counted>;
}

export interface ReceiptsRow extends OfAlert {
  readonly kind: 'received' | 'opened' | 'outside';
  readonly recipients: number;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
}

export interface ForwardsRow {
  readonly alertId: string;
  readonly roots: number;
  readonly children: number;
  readonly maxDepth: number;
  readonly views: number;
}

export interface SightingsRow {
  readonly state: SightingState;
  readonly source: SightingSource;
  readonly dismissal: Dismissal | null;
  readonly sightings: number;
}

const ms = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::float8`;

/** An update tells those who were asked already: it is a step of no funnel, neither of the asking nor of the ending. */
const NO_UPDATE = `(w.audience = 'ring' OR NOT EXISTS (SELECT FROM messages m WHERE m.id = w.message_id AND m.kind = 'update'))`;

/** Reads, in one transaction of its caller's; `$1` is the alerts' ids unless it says otherwise. */
@Injectable()
export class FunnelRepository {
  async case(tx: EntityManager, caseId: string): Promise<CaseRow | undefined> {
    const rows = await tx.query<CaseRow[]>('SELECT outcome, cause, closed_at AS "closedAt" FROM cases WHERE id = $1', [
      caseId,
    ]);
    return rows[0];
  }

  /** Those that were ever released, oldest first. */
  alerts(tx: EntityManager, caseId: string): Promise<AlertRow[]> {
    return tx.query<AlertRow[]>(
      `SELECT a.id AS "alertId", a.slug, a.tier, a.released_at AS "releasedAt", a.ended_at AS "endedAt"
       FROM alerts a JOIN alert_cases ac ON ac.alert_id = a.id
       WHERE ac.case_id = $1 AND a.released_at IS NOT NULL ORDER BY a.released_at, a.id`,
      [caseId],
    );
  }

  asked(tx: EntityManager, alertIds: readonly string[]): Promise<AskedRow[]> {
    return tx.query<AskedRow[]>(
      `SELECT b.alert_id AS "alertId", w.audience = 'notified' AS ending, sum(b.size)::int AS targeted,
         sum(b.accepted)::int AS accepted, sum(b.unregistered)::int AS unregistered, sum(b.rejected)::int AS rejected,
         sum(b.expired)::int AS expired, sum(b.stopped)::int AS stopped, sum(b.unknown)::int AS unknown,
         sum(b.pending)::int AS pending,
         ${ms('min(b.first_push_at) - min(a.released_at)')} AS "firstPushMs",
         ${ms('max(b.last_push_at) - min(a.released_at)')} AS "lastPushMs"
       FROM batches b JOIN waves w ON w.id = b.wave_id JOIN alerts a ON a.id = b.alert_id
       WHERE b.alert_id = ANY ($1) AND ${NO_UPDATE} GROUP BY 1, 2`,
      [alertIds],
    );
  }

  /** One row a wave. */
  withheld(tx: EntityManager, alertIds: readonly string[]): Promise<WithheldRow[]> {
    return tx.query<WithheldRow[]>(
      `SELECT alert_id AS "alertId", audience = 'notified' AS ending, withheld FROM waves w
       WHERE alert_id = ANY ($1) AND ${NO_UPDATE}`,
      [alertIds],
    );
  }

  /** Recipients by what their phones said, and how long after their batch's last push; as counted when the rows went. */
  receipts(tx: EntityManager, alertIds: readonly string[]): Promise<ReceiptsRow[]> {
    return tx.query<ReceiptsRow[]>(
      `SELECT "alertId", ending, kind, count(*)::int AS recipients,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY delay) AS "medianMs",
         percentile_cont(0.9) WITHIN GROUP (ORDER BY delay) AS "p90Ms"
       FROM (
         SELECT b.alert_id AS "alertId", w.audience = 'notified' AS ending, r.kind,
           greatest(${ms('r.at - b.last_push_at')}, 0) AS delay
         FROM receipts r JOIN batches b ON b.id = r.batch_id JOIN waves w ON w.id = b.wave_id
         WHERE b.alert_id = ANY ($1) AND ${NO_UPDATE} AND NOT EXISTS (SELECT FROM reduced_engagements e WHERE e.alert_id = b.alert_id)
       ) given GROUP BY 1, 2, 3
       UNION ALL
       SELECT alert_id, ending, kind, recipients, median_ms, p90_ms FROM receipt_counts WHERE alert_id = ANY ($1)`,
      [alertIds],
    );
  }

  forwards(tx: EntityManager, alertIds: readonly string[]): Promise<ForwardsRow[]> {
    return tx.query<ForwardsRow[]>(
      `SELECT alert_id AS "alertId", count(*) FILTER (WHERE depth = 0) AS roots,
         count(*) FILTER (WHERE depth > 0) AS children, max(depth) AS "maxDepth",
         coalesce(sum(coalesce(f.views, (SELECT count(*) FROM views v WHERE v.forward_id = f.id))), 0)::int AS views
       FROM forwards f WHERE alert_id = ANY ($1) GROUP BY 1`,
      [alertIds],
    );
  }

  /** `$1` is the case. */
  sightings(tx: EntityManager, caseId: string): Promise<SightingsRow[]> {
    return tx.query<SightingsRow[]>(
      'SELECT state, source, dismissal, count(*) AS sightings FROM sightings WHERE case_id = $1 GROUP BY 1, 2, 3',
      [caseId],
    );
  }
}
