import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';
import type { LonLat } from '#geo';

/** How far a wave has come. */
export interface Progress {
  readonly targeted: number;
  /** Recipients with a terminal result. */
  readonly settled: number;
  /** Batches in some worker's hand. */
  readonly leased: number;
}

/** One recipient as the ledger has it. */
export interface Booked {
  readonly id: number;
  /** One character, see libs/dispatch/src/results.ts. */
  readonly result: string;
  readonly audience: 'ring' | 'notified';
}

/** Who is to be asked: device → token. */
export type Audience = ReadonlyMap<number, string>;

const PATIENCE_MS = 60_000;
const AGAIN_MS = 100;

/** Connections refused or broken, SQLSTATE classes 08 and 57P, and no such database (PostgreSQL, appendix A). */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '', message }: NodeJS.ErrnoException = error;
  return /^(ECONN|EPIPE|08|57P|3D000)/.test(code) || /^Connection terminated|timeout exceeded/.test(message);
}

/** Reads the deployment's database by SQL of its own: what the product says of itself is not asked. */
export class LedgerReader {
  readonly #pool: Pool;

  constructor(databaseUrl: string) {
    this.#pool = new Pool({ connectionString: databaseUrl, max: 3, connectionTimeoutMillis: 5_000 });
    // A connection that is cut while nobody uses it; the next question opens another.
    this.#pool.on('error', () => undefined);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Asks again while PostgreSQL is away. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return (await this.#pool.query(sql, [...values])).rows as Row[];
      } catch (error) {
        if (!isAway(error) || Date.now() > deadline) throw error;
        await pause(AGAIN_MS);
      }
    }
  }

  /** Everyone within a circle who wants critical alerts, by PostGIS at every stored position. */
  async audience([lon, lat]: LonLat, radiusM: number): Promise<Audience> {
    const rows = await this.query<{ id: string; token: string }>(
      `SELECT p.device_id AS id, d.token FROM positions p JOIN devices d ON d.id = p.device_id
       WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, $3)
         AND NOT 'critical' = ANY (coalesce(opted_out, '{}')) AND coalesce(muted_until <= now(), true)`,
      [lon, lat, radiusM],
    );
    return new Map(rows.map(({ id, token }) => [Number(id), token]));
  }

  /** Metres around a place that so many positions are within. */
  async radiusOf([lon, lat]: LonLat, devices: number): Promise<number> {
    const [row] = await this.query<{ metres: number }>(
      `SELECT max(metres) AS metres FROM (
         SELECT ST_Distance(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography) AS metres
         FROM positions ORDER BY metres LIMIT $3) nearest`,
      [lon, lat, devices],
    );
    return Math.max(1_000, Math.ceil(row?.metres ?? 0));
  }

  async progress(alertId: string): Promise<Progress> {
    const [row] = await this.query<Progress>(
      `SELECT coalesce(sum(size), 0)::int AS targeted, count(*) FILTER (WHERE b.state = 'leased')::int AS leased,
         coalesce(sum(length(translate(coalesce(results, ''), '.~', ''))), 0)::int AS settled
       FROM batches b JOIN waves w ON w.id = b.wave_id WHERE b.alert_id = $1 AND w.audience = 'ring'`,
      [alertId],
    );
    return row as Progress;
  }

  /** When the last of the alert's waves settled, epoch milliseconds; null while one is open. */
  async settledAt(alertId: string): Promise<number | null> {
    const [row] = await this.query<{ open: boolean; at: Date | null }>(
      `SELECT bool_or(settled_at IS NULL) AS open, max(settled_at) AS at FROM waves WHERE alert_id = $1`,
      [alertId],
    );
    return row && !row.open && row.at ? row.at.getTime() : null;
  }

  /** How often a worker lost its hold on a batch of these alerts. */
  async lostLeases(alertIds: readonly string[]): Promise<number> {
    const [row] = await this.query<{ lost: number }>(
      'SELECT coalesce(sum(lost_leases), 0)::int AS lost FROM batches WHERE alert_id = ANY ($1)',
      [alertIds],
    );
    return row?.lost ?? 0;
  }

  async recipients(alertId: string): Promise<Booked[]> {
    const rows = await this.query<Booked>(
      `SELECT recipient.id::int AS id, coalesce(substr(b.results, place::int, 1), '.') AS result, w.audience
       FROM batches b JOIN waves w ON w.id = b.wave_id JOIN batch_recipients r ON r.batch_id = b.id
         CROSS JOIN LATERAL unnest(r.ids) WITH ORDINALITY AS recipient (id, place)
       WHERE b.alert_id = $1`,
      [alertId],
    );
    return rows;
  }

  /** The alert of a case and when it was released, epoch milliseconds; null before. */
  async released(caseId: string): Promise<{ readonly alertId: string; readonly at: number } | null> {
    const [row] = await this.query<{ id: string; at: Date | null }>(
      `SELECT a.id, a.released_at AS at FROM alerts a JOIN alert_cases c ON c.alert_id = a.id WHERE c.case_id = $1`,
      [caseId],
    );
    return row?.at ? { alertId: row.id, at: row.at.getTime() } : null;
  }

  /** Puts all rings so far two days into the past: a device is asked only so often in 24 hours. */
  async nextDay(): Promise<void> {
    await this.query(`UPDATE waves SET created_at = created_at - interval '2 days' WHERE audience = 'ring'`);
  }
}
