import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type AudienceQuery, audienceStatement, type Elsewhere } from '#audience';
import { Alert } from './alert.entity.ts';
import { among, IN_LEDGER_OF_ALERT, type StandingElsewhere, type Withheld } from './wave.repository.ts';

/** Somebody in an audience, and why they are not to be asked: null when they are. */
export interface Present {
  readonly deviceId: number;
  readonly provider: string;
  readonly band: number;
  readonly withheld: keyof Withheld | Elsewhere | null;
}

/** Those of an audience whom the alert has not asked. */
export interface Unasked {
  /** Who may be asked now. */
  readonly deviceIds: readonly number[];
  readonly withheld: Withheld;
  readonly elsewhere: StandingElsewhere;
}

/** Batches read in one go: some 50 000 ids. */
export const PIECE = 100;

/** So many are found one by one; more among everyone in the area. */
const FEW = 5_000;

@Injectable()
export class TopUpRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Whether this process is the one that tops up, for so many seconds more: what it knows by heart is dear to learn. */
  async lead(holder: string, seconds: number): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `INSERT INTO top_up_leases (holder, until) VALUES ($1, now() + make_interval(secs => $2))
       ON CONFLICT (the_only) DO UPDATE SET holder = excluded.holder, until = excluded.until
       WHERE top_up_leases.holder = excluded.holder OR top_up_leases.until < now() RETURNING 1`,
      [holder, seconds],
    );
    return rows.length > 0;
  }

  /** Alerts that ask people now. */
  asking(): Promise<Alert[]> {
    return this.dataSource.manager
      .createQueryBuilder(Alert, 'a')
      .where(
        `a.state = 'live' AND a.expires_at > now() AND a.tier <> 'page_only' AND a.mode <> 'exercise'
         AND a.held_at IS NULL AND a.stopped_at IS NULL`,
      )
      .orderBy('a.released_at')
      .getMany();
  }

  /** The next batches of an alert's rings after one, with their recipients as `array_send` gives them. */
  recipients(
    alertId: string,
    afterBatchId: number,
    tx: EntityManager = this.dataSource.manager,
  ): Promise<{ batchId: number; ids: Buffer }[]> {
    return tx.query(
      `SELECT b.id AS "batchId", array_send(r.ids) AS ids
       FROM batches b JOIN waves w ON w.id = b.wave_id AND w.audience = 'ring' JOIN batch_recipients r ON r.batch_id = b.id
       WHERE b.alert_id = $1 AND b.id > $2 ORDER BY b.id LIMIT ${PIECE}`,
      [alertId, afterBatchId],
    );
  }

  /** Everyone inside whom the alert has not asked: the dear look. */
  async unasked(alertId: string, query: AudienceQuery): Promise<Unasked> {
    const { sql, parameters } = await audienceStatement(query);
    const rows = await this.dataSource.query<
      { withheld: keyof Withheld | Elsewhere | null; devices: number; ids: number[] | null }[]
    >(
      `SELECT withheld, count(*) AS devices, array_agg(device_id) FILTER (WHERE withheld IS NULL) AS ids
       FROM (${sql} OFFSET 0) a WHERE device_id NOT IN (${IN_LEDGER_OF_ALERT(`$${parameters.length + 1}`)}) GROUP BY withheld`,
      [...parameters, alertId],
    );
    const counts = new Map(rows.map((row) => [row.withheld, row.devices]));
    return {
      deviceIds: rows.find((row) => row.withheld === null)?.ids ?? [],
      withheld: among(counts, ['opted_out', 'muted', 'quiet_hours']),
      elsewhere: among(counts, ['waiting', 'closed']),
    };
  }

  /** Those of some devices who are inside. */
  async present(tx: EntityManager, query: AudienceQuery, deviceIds: readonly number[]): Promise<Present[]> {
    const { sql, parameters } = await audienceStatement(query);
    return tx.query<Present[]>(
      `SELECT device_id AS "deviceId", provider, band, withheld
       FROM (${sql} ${deviceIds.length > FEW ? 'OFFSET 0' : ''}) a WHERE device_id = ANY ($${parameters.length + 1}::bigint[])`,
      [...parameters, deviceIds],
    );
  }

  /** Other alerts that asked somebody in the last 24 hours. */
  async recentAlerts(tx: EntityManager, alertId: string): Promise<string[]> {
    const rows = await tx.query<{ alertId: string }[]>(
      `SELECT DISTINCT alert_id AS "alertId" FROM waves
       WHERE audience = 'ring' AND created_at > now() - interval '24 hours' AND alert_id <> $1`,
      [alertId],
    );
    return rows.map((row) => row.alertId);
  }

  /** How many of these alerts each of some devices has got in the last 24 hours. */
  async askedBy(
    tx: EntityManager,
    alertIds: readonly string[],
    deviceIds: readonly number[],
  ): Promise<Map<number, number>> {
    const rows = await tx.query<{ id: number; alerts: number }[]>(
      `SELECT recipient.id, count(*) AS alerts
       FROM waves w JOIN batches b ON b.wave_id = w.id JOIN batch_recipients r ON r.batch_id = b.id
         CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
       WHERE w.audience = 'ring' AND w.created_at > now() - interval '24 hours' AND w.alert_id = ANY ($1::uuid[])
         AND recipient.id = ANY ($2::bigint[]) AND recipient.result IN ('a', 'k')
       GROUP BY recipient.id`,
      [alertIds, deviceIds],
    );
    return new Map(rows.map(({ id, alerts }) => [id, alerts]));
  }
}
