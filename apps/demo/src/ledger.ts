import { Client } from 'pg';
import type { LonLat } from '#geo';

/** What the ledger says of one wave. */
export interface WaveBooks {
  readonly targeted: number;
  readonly withheld: number;
  readonly accepted: number;
  readonly unregistered: number;
  readonly rejected: number;
  readonly expired: number;
  readonly stopped: number;
  readonly unknown: number;
  readonly pending: number;
}

export interface Band {
  readonly band: number;
  readonly recipients: number;
  readonly done: number;
}

export type Engagement = Readonly<Record<'received' | 'opened' | 'forwards' | 'views' | 'sightings', number>>;

/**
 * The auditor of the night: reads the tables themselves by its own plain SQL, sharing nothing with the product, so that it
 * checks the books instead of quoting them.
 */
export class Ledger {
  private constructor(private readonly db: Client) {}

  static async open(url: string): Promise<Ledger> {
    const db = new Client(url);
    await db.connect();
    return new Ledger(db);
  }

  close(): Promise<void> {
    return this.db.end();
  }

  /** Whether anything of an earlier use is there. */
  async isUsed(): Promise<boolean> {
    const { rows } = await this.db.query<{ used: boolean }>(
      'SELECT EXISTS (SELECT FROM agencies) OR EXISTS (SELECT FROM devices) AS used',
    );
    return rows[0]?.used ?? false;
  }

  /** Devices within a distance in metres, by PostGIS alone: no cells, no bands, no ledger. */
  async oracle([lon, lat]: LonLat, metres: number): Promise<number> {
    const { rows } = await this.db.query<{ devices: number }>(
      `SELECT count(*)::int AS devices FROM positions
       WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, $3)
         AND seen_at > now() - interval '30 days'`,
      [lon, lat, metres],
    );
    return rows[0]?.devices ?? 0;
  }

  async books(alertId: string, audience: 'ring' | 'notified'): Promise<WaveBooks> {
    const { rows } = await this.db.query<WaveBooks>(
      `SELECT
         (SELECT coalesce(sum(targeted), 0)::int FROM waves WHERE alert_id = $1 AND audience = $2) AS targeted,
         (SELECT coalesce(sum(reason.value::int), 0)::int FROM waves, jsonb_each_text(withheld) AS reason
            WHERE alert_id = $1 AND audience = $2) AS withheld,
         count(*) FILTER (WHERE result = 'a')::int AS accepted,
         count(*) FILTER (WHERE result = 'u')::int AS unregistered,
         count(*) FILTER (WHERE result = 'r')::int AS rejected,
         count(*) FILTER (WHERE result = 'e')::int AS expired,
         count(*) FILTER (WHERE result = 's')::int AS stopped,
         count(*) FILTER (WHERE result = 'k')::int AS unknown,
         count(*) FILTER (WHERE result IN ('.', '~'))::int AS pending
       FROM waves w JOIN batches b ON b.wave_id = w.id
         CROSS JOIN LATERAL unnest(string_to_array(coalesce(b.results, repeat('.', b.size)), NULL)) AS result
       WHERE w.alert_id = $1 AND w.audience = $2`,
      [alertId, audience],
    );
    return rows[0] as WaveBooks;
  }

  /** Recipients per 2 km band, and how many of them have a result. */
  async bands(alertId: string, audience: 'ring' | 'notified'): Promise<Band[]> {
    const { rows } = await this.db.query<Band>(
      `SELECT band, sum(size)::int AS recipients, sum(size - pending)::int AS done
       FROM batches b JOIN waves w ON w.id = b.wave_id WHERE b.alert_id = $1 AND w.audience = $2 GROUP BY band`,
      [alertId, audience],
    );
    return rows;
  }

  async isSettled(alertId: string): Promise<boolean> {
    const { rows } = await this.db.query<{ settled: boolean }>(
      'SELECT count(*) = 0 AS settled FROM waves WHERE alert_id = $1 AND settled_at IS NULL',
      [alertId],
    );
    return rows[0]?.settled ?? false;
  }

  /** Asked devices of the alert that can no longer be reached: they left, or their token died, since. */
  async left(alertId: string): Promise<number> {
    const { rows } = await this.db.query<{ gone: number }>(
      `SELECT count(*)::int AS gone FROM batches b JOIN waves w ON w.id = b.wave_id AND w.audience = 'ring'
         JOIN batch_recipients r ON r.batch_id = b.id
         CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
       WHERE b.alert_id = $1 AND result IN ('a', 'k')
         AND NOT EXISTS (SELECT FROM devices d WHERE d.id = recipient.id AND d.token IS NOT NULL)`,
      [alertId],
    );
    return rows[0]?.gone ?? 0;
  }

  /** What reached the api from the phones. */
  async engagement(alertId: string): Promise<Engagement> {
    const { rows } = await this.db.query<Engagement>(
      `SELECT
         (SELECT count(*)::int FROM receipts r JOIN batches b ON b.id = r.batch_id JOIN waves w ON w.id = b.wave_id
            WHERE b.alert_id = $1 AND w.audience = 'ring' AND r.kind = 'received') AS received,
         (SELECT count(*)::int FROM receipts r JOIN batches b ON b.id = r.batch_id JOIN waves w ON w.id = b.wave_id
            WHERE b.alert_id = $1 AND w.audience = 'ring' AND r.kind = 'opened') AS opened,
         (SELECT count(*)::int FROM forwards WHERE alert_id = $1) AS forwards,
         (SELECT count(*)::int FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1) AS views,
         (SELECT count(*)::int FROM sightings JOIN alert_cases USING (case_id) WHERE alert_id = $1) AS sightings`,
      [alertId],
    );
    return rows[0] as Engagement;
  }
}
