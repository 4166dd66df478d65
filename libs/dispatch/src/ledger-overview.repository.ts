import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** What of one audience's waves is not settled. */
interface OpenWaves {
  readonly audience: 'ring' | 'notified';
  readonly waves: number;
  /** Recipients without a result. */
  readonly recipients: number;
  readonly batches: number;
  /** Batches that the provider was asked for before, in vain. */
  readonly retried: number;
  /** Batches that were set aside: nobody tries them again before somebody has looked. They are not among the others. */
  readonly dead: number;
  /** Seconds for which the batch that is due longest has waited for a worker; 0 without any. Held ones are not due. */
  readonly dueS: number;
}

/** Live alerts, by why they are held: null is not at all. */
interface LiveAlertCount {
  readonly held: string | null;
  readonly alerts: number;
}

/** How the ledger stands now: what is to be done, and how late it is. */
export interface LedgerReading {
  readonly open: readonly OpenWaves[];
  readonly live: readonly LiveAlertCount[];
  /** Seconds for which a lease has been run out without being taken back; 0 where none has. */
  readonly silentS: number;
  /** Seconds for which an alert has been live beyond its expiry; 0 where none is. */
  readonly overdueS: number;
}

/** Reads what is unsettled, by the indexes of what is unsettled: what is settled costs nothing, however much it is. */
@Injectable()
export class LedgerOverview {
  constructor(private readonly dataSource: DataSource) {}

  async read(tx: EntityManager = this.dataSource.manager): Promise<LedgerReading> {
    const [row] = await tx.query<[LedgerReading]>(
      `SELECT
         (SELECT json_agg(open) FROM (${OPEN}) open) AS open,
         (SELECT coalesce(json_agg(live), '[]') FROM (
           SELECT held_reason AS held, count(*) AS alerts FROM alerts WHERE state = 'live' GROUP BY held_reason
         ) live) AS live,
         (SELECT ${secondsSince('min(lease_until)')} FROM batches WHERE state = 'leased') AS "silentS",
         (SELECT ${secondsSince('min(expires_at)')} FROM alerts WHERE state = 'live') AS "overdueS"`,
    );
    return row;
  }
}

/** 0 for what is to come, and for nothing. */
function secondsSince(time: string): string {
  return `coalesce(greatest(0, extract(epoch FROM now() - ${time})), 0)::float8`;
}

/** One row an audience, also without any wave. Each wave's batches are one scan of its unsettled ones. */
const OPEN = `
  SELECT every.audience, count(w.id) AS waves, coalesce(sum(recipients), 0) AS recipients, coalesce(sum(batches), 0) AS batches,
    coalesce(sum(retried), 0) AS retried, coalesce(sum(dead), 0) AS dead,
    ${secondsSince('min(due) FILTER (WHERE a.held_at IS NULL OR w.passes_hold)')} AS "dueS"
  FROM (VALUES ('ring'), ('notified')) AS every(audience)
    LEFT JOIN waves w ON w.audience = every.audience AND w.settled_at IS NULL
    LEFT JOIN alerts a ON a.id = w.alert_id
    LEFT JOIN LATERAL (
      SELECT sum(pending) AS recipients, count(*) FILTER (WHERE state <> 'dead') AS batches,
        count(*) FILTER (WHERE state <> 'dead' AND attempt > 1) AS retried, count(*) FILTER (WHERE state = 'dead') AS dead,
        min(run_at) FILTER (WHERE state = 'pending') AS due
      FROM batches WHERE wave_id = w.id AND state <> 'settled'
    ) rest ON true
  GROUP BY every.audience`;
