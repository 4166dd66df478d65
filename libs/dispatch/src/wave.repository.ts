import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AudienceQuery, audienceStatement } from '#audience';
import { NIGHT_UNTIL_HOUR } from './night.ts';

/** Recipients of a batch: what FCM's own clients call a multicast, and small enough to retry whole. */
const BATCH_SIZE = 500;

export interface NewWave {
  readonly alertId: string;
  readonly messageId: string;
  readonly audience: 'ring' | 'notified';
}

/** Why devices inside the area were not asked, and how many. */
export type Withheld = Readonly<Partial<Record<'opted_out' | 'muted' | 'quiet_hours' | 'daily_cap', number>>>;

/**
 * The end of every snapshot: cuts `asked (device_id, provider, band)` into batches, nearest band first, and stores them.
 * Batches keep to one provider and one band: a band is the unit of 'nearest first' and of what may sound at night.
 */
const storeBatches = (wave: string, runAt: string, firstSeq: string) => `
  slices AS (
    SELECT ${firstSeq} + row_number() OVER (ORDER BY band, provider, start) AS seq, provider, band, ids[start : start + ${BATCH_SIZE - 1}] AS ids
    FROM (SELECT provider, band, array_agg(device_id) AS ids FROM asked GROUP BY provider, band) banded,
      generate_series(1, cardinality(ids), ${BATCH_SIZE}) AS start
  ), stored AS (
    INSERT INTO batches (wave_id, alert_id, seq, provider, band, size, run_at)
    SELECT w.id, w.alert_id, seq, provider, band, cardinality(ids), ${runAt}
    FROM slices, waves w WHERE w.id = ${wave}
    RETURNING id, seq
  ), recipients AS (
    INSERT INTO batch_recipients (batch_id, ids) SELECT stored.id, slices.ids FROM stored JOIN slices USING (seq)
  )`;

/** Those of settled batches who were asked, or may have been, and can still be reached. */
const NOTIFIED = `
  SELECT recipient.id AS device_id, b.provider, b.band
  FROM batches b JOIN waves w ON w.id = b.wave_id AND w.audience <> 'notified'
    JOIN batch_recipients r ON r.batch_id = b.id
    CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
    JOIN devices d ON d.id = recipient.id AND d.token IS NOT NULL
  WHERE b.state = 'settled' AND recipient.result IN ('a', 'k')`;

@Injectable()
export class WaveRepository {
  async insert(tx: EntityManager, wave: NewWave): Promise<number> {
    const [row] = await tx.query<[{ id: number }]>(
      'INSERT INTO waves (alert_id, message_id, audience) VALUES ($1, $2, $3) RETURNING id',
      [wave.alertId, wave.messageId, wave.audience],
    );
    return row.id;
  }

  /**
   * Snapshots the audience into batches, nearest first, in one statement.
   * @param dailyCap alerts a device gets in 24 hours before further ones are withheld from it
   * @param runAt when sending may begin; null is now
   */
  async snapshotRing(
    tx: EntityManager,
    waveId: number,
    query: AudienceQuery,
    dailyCap: number,
    runAt: Date | null,
  ): Promise<{ targeted: number; withheld: Withheld }> {
    const audience = audienceStatement(query);
    const own = (n: number) => `$${audience.parameters.length + n}`;
    const rows = await tx.query<{ withheld: keyof Withheld | null; devices: number }[]>(
      `WITH recent AS (
         SELECT id, alert_id FROM waves
         WHERE audience = 'ring' AND created_at > now() - interval '24 hours'
           AND alert_id <> (SELECT alert_id FROM waves WHERE id = ${own(1)})
       ), capped AS (
         SELECT recipient.id FROM recent JOIN batches b ON b.wave_id = recent.id
           JOIN batch_recipients r ON r.batch_id = b.id
           CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
         WHERE recipient.result IN ('a', 'k') AND (SELECT count(DISTINCT alert_id) FROM recent) >= ${own(2)}
         GROUP BY recipient.id HAVING count(DISTINCT recent.alert_id) >= ${own(2)}
       ), audience AS (
         SELECT a.device_id, a.provider, a.band,
           coalesce(a.withheld, CASE WHEN capped.id IS NOT NULL THEN 'daily_cap' END) AS withheld
         FROM (${audience.sql}) a LEFT JOIN capped ON capped.id = a.device_id
       ), asked AS (SELECT device_id, provider, band FROM audience WHERE withheld IS NULL),
       ${storeBatches(own(1), `coalesce(${own(3)}::timestamptz, now())`, '0')}
       SELECT withheld, count(*) AS devices FROM audience GROUP BY withheld`,
      [...audience.parameters, waveId, dailyCap, runAt],
    );
    const counts = new Map(rows.map((row) => [row.withheld, row.devices]));
    const targeted = counts.get(null) ?? 0;
    counts.delete(null);
    const withheld = Object.fromEntries(counts) as Withheld;
    await tx.query('UPDATE waves SET targeted = $2, withheld = $3 WHERE id = $1', [waveId, targeted, withheld]);
    return { targeted, withheld };
  }

  /** Snapshots exactly those whom settled batches of the alert notified, less those who left, nearest first. */
  async snapshotNotified(tx: EntityManager, waveId: number, alertId: string): Promise<void> {
    await tx.query(
      `WITH asked AS (${NOTIFIED} AND b.alert_id = $2), ${storeBatches('$1', 'now()', '0')}
       UPDATE waves SET targeted = (SELECT count(*) FROM asked) WHERE id = $1`,
      [waveId, alertId],
    );
  }

  /** Adds those whom one batch notified to the alert's ending, when the batch settles after it. */
  async appendNotified(tx: EntityManager, batchId: number, alertId: string): Promise<void> {
    const wave = `(SELECT max(id) FROM waves WHERE alert_id = $2 AND audience = 'notified')`;
    // One batch at a time: two appends must not choose the same place in the wave.
    await tx.query(`SELECT 1 FROM waves WHERE id = ${wave.replace('$2', '$1')} FOR UPDATE`, [alertId]);
    await tx.query(
      `WITH asked AS (${NOTIFIED} AND b.id = $1),
       ${storeBatches(wave, 'now()', `(SELECT coalesce(max(seq), 0) FROM batches WHERE wave_id = ${wave})`)}
       UPDATE waves SET targeted = targeted + (SELECT count(*) FROM asked), settled_at = NULL
       WHERE id = ${wave} AND EXISTS (SELECT 1 FROM asked)`,
      [batchId, alertId],
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
      'SELECT id FROM waves WHERE settled_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED',
    );
    const [rows] = await tx.query<[{ id: number }[], number]>(
      `UPDATE waves w SET settled_at = now() WHERE id = ANY ($1::bigint[])
         AND NOT EXISTS (SELECT 1 FROM batches b WHERE b.wave_id = w.id AND b.state <> 'settled')
       RETURNING id`,
      [open.map((row) => row.id)],
    );
    return rows.map((row) => row.id);
  }
}
