import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AudienceQuery, audienceStatement, type Elsewhere } from '#audience';
import type { Area } from '#geo';
import { NIGHT_UNTIL_HOUR } from './night.ts';

/** Recipients of a batch: what FCM's own clients call a multicast, and small enough to retry whole. */
const BATCH_SIZE = 500;

export interface NewWave {
  readonly alertId: string;
  readonly messageId: string;
  readonly audience: 'ring' | 'notified';
  /** What phones check themselves against; null is the alert's own at the time of sending. */
  readonly area?: Area;
  /** Sent although the alert is held: endings and safety corrections. */
  readonly passesHold?: boolean;
  /** For those who came after their ring was asked. */
  readonly late?: boolean;
}

/** Somebody to be asked late. */
export interface Late {
  readonly deviceId: number;
  readonly provider: string;
  readonly band: number;
}

/** Why devices inside the area were not asked, and how many. */
export type Withheld = Readonly<Partial<Record<'opted_out' | 'muted' | 'quiet_hours' | 'daily_cap', number>>>;

/** Devices inside the area on land that is closed to the alert, or waits for its agency's yes, at the time of a snapshot. */
export type StandingElsewhere = Readonly<Partial<Record<Elsewhere, number>>>;

/**
 * The end of every snapshot: cuts `banded (provider, band, ids)`, one row for each of the two, into batches, nearest band first, and
 * stores them. Batches keep to one provider and one band: a band is the unit of 'nearest first' and of what may sound at night.
 */
const storeBatches = (wave: string, runAt: string, firstSeq: string) => `
  slices AS (
    SELECT ${firstSeq} + row_number() OVER (ORDER BY band, provider, start) AS seq, provider, band, ids
    FROM (
      SELECT provider, band, start, ids[start : start + ${BATCH_SIZE - 1}] AS ids
      FROM banded, generate_series(1, cardinality(ids), ${BATCH_SIZE}) AS start
      -- Cut before they are sorted: else every slice would carry its whole band through the sort.
      OFFSET 0
    ) sliced
  ), stored AS (
    INSERT INTO batches (wave_id, alert_id, seq, provider, band, size, run_at, due_at, version)
    SELECT w.id, w.alert_id, seq, provider, band, cardinality(ids), due.at, due.at, m.version
    FROM slices, waves w JOIN messages m ON m.id = w.message_id, LATERAL (SELECT ${runAt} AS at) due WHERE w.id = ${wave}
    RETURNING id, seq
  ), recipients AS (
    INSERT INTO batch_recipients (batch_id, ids) SELECT stored.id, slices.ids FROM stored JOIN slices USING (seq)
  )`;

/*
 * Places in the queue are ranks, lowest first, so that a wave's places begin where those before it should end.
 */

/** The last place of a wave so far. */
const lastOf = (wave: string) => `(SELECT coalesce(max(seq), 0) FROM batches WHERE wave_id = ${wave})`;

const leftOf = (
  wave: string,
) => `FROM waves own JOIN waves w ON w.alert_id = own.alert_id AND w.audience = 'ring' AND w.settled_at IS NULL
  JOIN batches b ON b.wave_id = w.id AND b.state <> 'settled' WHERE own.id = ${wave}`;

/** The first place of what is left of the alert's rings: who comes late stands among those who are asked next. */
const firstLeft = (wave: string) => `(SELECT coalesce(min(b.seq), 1) ${leftOf(wave)})`;

/** The last one: a further ring waits for the one before it. */
const lastLeft = (wave: string) => `(SELECT coalesce(max(b.seq), 0) ${leftOf(wave)})`;

/** Whether nothing is left of a batch that is brought up. */
const DONE = `over OR coalesce(strpos(results, '.') = 0, false)`;

/** Devices that a wave of the alert has asked, or was to ask. */
export const IN_LEDGER_OF_ALERT = (alertId: string) => `
  SELECT unnest(r.ids) FROM batches b JOIN waves w ON w.id = b.wave_id AND w.audience = 'ring'
    JOIN batch_recipients r ON r.batch_id = b.id
  WHERE b.alert_id = ${alertId}`;

/** Devices that a wave of the alert (of wave `wave`) has asked, or was to ask. */
const inLedgerOf = (wave: string) => `
  SELECT unnest(r.ids) FROM waves own JOIN waves earlier ON earlier.alert_id = own.alert_id AND earlier.audience = 'ring'
    JOIN batches b ON b.wave_id = earlier.id JOIN batch_recipients r ON r.batch_id = b.id
  WHERE own.id = ${wave}`;

/** The newest wave that tells those who were asked. */
const newestNotified = (alertId: string) =>
  `(SELECT max(id) FROM waves WHERE alert_id = ${alertId} AND audience = 'notified')`;

@Injectable()
export class WaveRepository {
  async insert(tx: EntityManager, wave: NewWave): Promise<number> {
    const [row] = await tx.query<[{ id: number }]>(
      'INSERT INTO waves (alert_id, message_id, audience, area, passes_hold, late) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id',
      [wave.alertId, wave.messageId, wave.audience, wave.area ?? null, wave.passesHold ?? false, wave.late ?? false],
    );
    return row.id;
  }

  /**
   * Snapshots the audience into batches, nearest first, in one statement; who is in the alert's ledger already is not
   * asked again.
   * @param dailyCap alerts a device gets in 24 hours before further ones are withheld from it
   * @param runAt when sending may begin; null is now
   */
  async snapshotRing(
    tx: EntityManager,
    waveId: number,
    query: AudienceQuery,
    dailyCap: number,
    runAt: Date | null,
  ): Promise<{ targeted: number; withheld: Withheld; elsewhere: StandingElsewhere }> {
    const audience = await audienceStatement(query);
    const own = (n: number) => `$${audience.parameters.length + n}`;
    const rows = await tx.query<{ withheld: keyof Withheld | Elsewhere | null; devices: number }[]>(
      `WITH recent AS (
         SELECT id, alert_id FROM waves
         WHERE audience = 'ring' AND created_at > now() - interval '24 hours'
           AND alert_id <> (SELECT alert_id FROM waves WHERE id = ${own(1)})
       ), capped AS (
         SELECT recipient.id FROM recent
           -- A batch that reached nobody is not opened: an alert stopped at once costs the next one nothing.
           JOIN batches b ON b.wave_id = recent.id AND b.accepted + b.unknown > 0
           JOIN batch_recipients r ON r.batch_id = b.id
           CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
         WHERE recipient.result IN ('a', 'k') AND (SELECT count(DISTINCT alert_id) FROM recent) >= ${own(2)}
         -- An alert asks a device once.
         GROUP BY recipient.id HAVING count(*) >= ${own(2)}
       ), audience AS (
         SELECT a.device_id, a.provider, a.band,
           -- IN and no join: it is hashed, however few the planner takes the arrays to hold. OFFSET 0: once, and not for each range.
           coalesce(a.withheld, CASE WHEN a.device_id IN (SELECT id FROM capped) THEN 'daily_cap' END) AS withheld
         FROM (${audience.sql} OFFSET 0) a
         WHERE a.device_id NOT IN (${inLedgerOf(own(1))})
       ), banded AS MATERIALIZED (
         -- Once over the devices, by few groups: they are neither kept as rows, to be read twice, nor sorted.
         SELECT provider, band, array_agg(device_id) FILTER (WHERE withheld IS NULL) AS ids,
           array_agg(withheld) FILTER (WHERE withheld IS NOT NULL) AS reasons
         FROM audience GROUP BY provider, band
       ),
       ${storeBatches(own(1), `coalesce(${own(3)}::timestamptz, now())`, lastLeft(own(1)))}
       SELECT NULL AS withheld, coalesce(sum(cardinality(ids)), 0)::bigint AS devices FROM banded
       UNION ALL
       SELECT reason, count(*) FROM banded, unnest(reasons) AS reason GROUP BY reason`,
      [...audience.parameters, waveId, dailyCap, runAt],
    );
    const counts = new Map(rows.map((row) => [row.withheld, row.devices]));
    const targeted = counts.get(null) ?? 0;
    const elsewhere = among(counts, ['waiting', 'closed']);
    const withheld = among(counts, ['opted_out', 'muted', 'quiet_hours', 'daily_cap']);
    await tx.query('UPDATE waves SET targeted = $2, withheld = $3, elsewhere = $4 WHERE id = $1', [
      waveId,
      targeted,
      withheld,
      elsewhere,
    ]);
    return { targeted, withheld, elsewhere };
  }

  /**
   * Forgets what earlier waves of the alert left out of the same area, or of circles that this one's circle holds: it has counted them anew, and
   * the books add waves up.
   */
  async restate(tx: EntityManager, waveId: number): Promise<void> {
    await tx.query(
      `UPDATE waves earlier SET withheld = '{}', elsewhere = '{}' FROM waves own
       WHERE own.id = $1 AND earlier.alert_id = own.alert_id AND earlier.id < own.id AND earlier.audience = 'ring'
         AND (earlier.area = own.area OR earlier.area->'center' = own.area->'center'
           AND (earlier.area->>'radiusM')::float8 <= (own.area->>'radiusM')::float8)`,
      [waveId],
    );
  }

  /**
   * Adds people to an alert's late wave of its newest message and present area, beginning one where there is none of the last
   * hour: so that waves stay few, however often somebody comes.
   * @returns the wave's id
   */
  async addLate(tx: EntityManager, alertId: string, messageId: string, area: Area, asked: readonly Late[]) {
    const [open] = await tx.query<{ id: number }[]>(
      `SELECT id FROM waves WHERE alert_id = $1 AND late AND message_id = $2 AND area = $3
         AND created_at > now() - interval '1 hour' ORDER BY id DESC LIMIT 1`,
      [alertId, messageId, area],
    );
    const waveId = open?.id ?? (await this.insert(tx, { alertId, messageId, audience: 'ring', area, late: true }));
    await tx.query(
      `WITH asked AS (
         SELECT * FROM unnest($2::bigint[], $3::text[], $4::smallint[]) AS given(device_id, provider, band)
       ), banded AS (
         SELECT provider, band, array_agg(device_id) AS ids FROM asked GROUP BY provider, band
       ), ${storeBatches('$1', 'now()', `greatest(${lastOf('$1')}, ${firstLeft('$1')} - 1)`)}
       UPDATE waves SET targeted = targeted + (SELECT count(*) FROM asked), settled_at = NULL WHERE id = $1`,
      [waveId, asked.map((one) => one.deviceId), asked.map((one) => one.provider), asked.map((one) => one.band)],
    );
    return waveId;
  }

  /** Puts down who of an alert's present area is not asked now, in place of what its waves knew of that area. */
  async recount(tx: EntityManager, alertId: string, withheld: Withheld, elsewhere: StandingElsewhere): Promise<void> {
    const [row] = await tx.query<{ id: number }[]>(
      `SELECT w.id FROM waves w JOIN alerts a ON a.id = w.alert_id
       WHERE w.alert_id = $1 AND w.audience = 'ring' AND w.area = a.area ORDER BY w.late, w.id DESC LIMIT 1`,
      [alertId],
    );
    if (!row) return;
    await tx.query('UPDATE waves SET withheld = $2, elsewhere = $3 WHERE id = $1', [row.id, withheld, elsewhere]);
    await this.restate(tx, row.id);
  }

  /**
   * Brings batches that no worker holds up to the alert's newest message, in one statement: those who were asked, or may
   * have been, and were not told it are added to its wave, less those who left; who waits in an older message's wave, or
   * in any once the alert has ended or is stopped, waits no more. Doubt becomes `unknown`, for the newest message is the
   * doubtful push's repetition. Leased batches are brought up when they settle or are claimed again.
   * The caller holds the alert: all batches by {@link AlertRepository.lock}, one by {@link BatchRepository.standing}.
   * @param batchId null for all of the alert's
   */
  async bringUp(tx: EntityManager, alertId: string, batchId: number | null): Promise<void> {
    const wave = newestNotified('$1');
    // One at a time: two must not choose the same place in the wave.
    await tx.query(`SELECT 1 FROM waves WHERE id = ${wave} FOR UPDATE`, [alertId]);
    await tx.query(
      `WITH newest AS (
         SELECT version, kind NOT IN ('alert', 'update') AS ending FROM messages WHERE alert_id = $1
         ORDER BY version DESC LIMIT 1
       ), behind AS (
         SELECT b.id, w.audience = 'ring' AND b.version < n.version AS untold,
           w.audience = 'notified' OR n.ending OR a.stopped_at IS NOT NULL AS over,
           CASE w.audience WHEN 'ring' THEN n.version ELSE b.version END AS version
         FROM batches b JOIN waves w ON w.id = b.wave_id JOIN alerts a ON a.id = b.alert_id CROSS JOIN newest n
         WHERE b.alert_id = $1 AND ($2::bigint IS NULL OR b.id = $2) AND b.state <> 'leased' AND (
           b.version < n.version AND (w.audience = 'ring' OR b.state <> 'settled')
           OR b.state <> 'settled' AND w.audience = 'ring' AND a.stopped_at IS NOT NULL)
         FOR UPDATE OF b
       ), brought AS (
         UPDATE batches b SET version = behind.version,
           results = CASE WHEN over THEN translate(coalesce(results, repeat('.', size)), '.~', 'sk') ELSE translate(results, '~', 'k') END,
           state = CASE WHEN ${DONE} THEN 'settled' ELSE state END,
           dead_reason = CASE WHEN NOT (${DONE}) THEN dead_reason END, dead_at = CASE WHEN NOT (${DONE}) THEN dead_at END
         FROM behind WHERE b.id = behind.id
         RETURNING b.id, b.provider, b.band, b.results, behind.untold
       ), asked AS (
         SELECT recipient.id AS device_id, b.provider, b.band
         FROM brought b JOIN batch_recipients r ON r.batch_id = b.id
           CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
           JOIN devices d ON d.id = recipient.id AND d.token IS NOT NULL
         WHERE b.untold AND recipient.result IN ('a', 'k')
       ), banded AS (
         SELECT provider, band, array_agg(device_id) AS ids FROM asked GROUP BY provider, band
       ), ${storeBatches(wave, 'now()', lastOf(wave))}
       UPDATE waves SET targeted = targeted + (SELECT count(*) FROM asked), settled_at = NULL
       WHERE id = ${wave} AND EXISTS (SELECT 1 FROM asked)`,
      [alertId, batchId],
    );
  }

  /** The next 07:00 in the zone, for alerts that are sent by day only. */
  async morning(tx: EntityManager, zone: string, at: Date): Promise<Date> {
    const [row] = await tx.query<[{ morning: Date }]>(
      `SELECT CASE WHEN today > given THEN today ELSE today + interval '1 day' END AT TIME ZONE $1 AS morning
       FROM (SELECT $2::timestamptz AT TIME ZONE $1 AS given) clock,
         LATERAL (SELECT date_trunc('day', given) + make_interval(hours => $3) AS today) day`,
      [zone, at, NIGHT_UNTIL_HOUR],
    );
    return row.morning;
  }

  /** Marks waves whose every batch is settled. @returns their ids */
  async settle(tx: EntityManager): Promise<number[]> {
    // Two statements: the second's snapshot begins once the locks are held, so that it sees what an append has added.
    const open = await tx.query<{ id: number }[]>(
      `SELECT id FROM waves w WHERE settled_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM batches b WHERE b.wave_id = w.id AND b.state <> 'settled')
       ORDER BY id FOR UPDATE SKIP LOCKED`,
    );
    if (open.length === 0) return [];
    const [rows] = await tx.query<[{ id: number }[], number]>(
      `UPDATE waves w SET settled_at = now() WHERE id = ANY ($1::bigint[])
         AND NOT EXISTS (SELECT 1 FROM batches b WHERE b.wave_id = w.id AND b.state <> 'settled')
       RETURNING id`,
      [open.map((row) => row.id)],
    );
    return rows.map((row) => row.id);
  }
}

/** What was counted for these reasons; one that nobody had is left out. */
export function among<Reason extends string>(counts: ReadonlyMap<string | null, number>, reasons: readonly Reason[]) {
  const had = reasons.filter((reason) => counts.has(reason));
  return Object.fromEntries(had.map((reason) => [reason, counts.get(reason)])) as Partial<Record<Reason, number>>;
}
