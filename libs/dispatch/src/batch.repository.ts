import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { IN_ITS_DATABASE, prepared } from '#platform';
import { besideGate, enterBeside } from './alert-gate.repository.ts';
import type { Lease, ReadyBatch, Settlement, Standing } from './batch.types.ts';
import { CLAIMED_UNTIL, OWED_SINCE } from './gap.repository.ts';

/** A worker that neither checkpoints nor settles for this long has lost its batch. */
const LEASE_SECONDS = 15;

/** So many leases lost in a row without learning anything: five minutes of dying workers, longer than a bad release is rolled back. */
const BARREN_LEASES = 20;

/** So many faults in a row, after 1, 4, 16 and 64 s: what passes by itself has passed by then. */
const FAULTS = 5;

/** An ending is worth telling for this long; then who is still offline is left alone. */
const ENDING_HOURS = 24;

@Injectable()
export class BatchRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Takes a batch for this worker, or null when it is taken, settled, not due, held, silent for too long, or behind its alert's newest
   * message, the job is of an older epoch, or the database was restored and no sweep has held its alerts yet.
   */
  async claim(batchId: number, epoch: number): Promise<Lease | null> {
    const [rows] = await this.dataSource.query<[Lease[], number]>(
      prepared(
        'claim',
        `UPDATE batches b SET state = 'leased', epoch = b.epoch + 1, attempt = b.attempt + 1,
         lease_until = now() + make_interval(secs => $3)
       FROM waves w, alerts a, messages m, batch_recipients r
       WHERE b.id = $1 AND b.epoch = $2 AND b.state = 'pending' AND b.run_at <= now()
         AND w.id = b.wave_id AND a.id = b.alert_id AND r.batch_id = b.id
         AND m.alert_id = a.id AND m.version = b.version AND m.version = ${NEWEST}
         AND (w.passes_hold OR a.held_at IS NULL AND now() < ${CLAIMED_UNTIL}) AND NOT (${STOPPED}) AND ${IN_ITS_DATABASE}
       RETURNING b.id AS "batchId", b.epoch, b.attempt, b.band, b.size, b.results, r.ids, w.id AS "waveId", w.audience,
         a.id AS "alertId", a.epoch AS "alertEpoch", a.slug, a.mode, a.tier, coalesce(w.area, a.area) AS area, a.zone,
         a.place, a.call_number AS "callNumber", a.instruction, EXISTS (SELECT FROM alert_photos p WHERE p.alert_id = a.id) AS "hasPhoto",
         CASE w.audience WHEN 'ring' THEN 'alert' ELSE m.kind END AS kind, m.version, m.texts,
         CASE w.audience WHEN 'notified' THEN m.notice END AS notice,
         w.trace_parent AS "traceParent", ${DEADLINE} AS deadline, ${DEADLINE} <= now() AS overdue,
         CASE WHEN b.first_push_at IS NULL AND b.seq = (SELECT min(seq) FROM batches WHERE wave_id = w.id)
           THEN (extract(epoch FROM now() - ${OWED_SINCE}) * 1000)::float8 END AS "firstDueMs"`,
      ),
      [batchId, epoch, LEASE_SECONDS],
    );
    return rows[0] ?? null;
  }

  /**
   * Keeps the lease and writes what is known so far.
   * @returns the alert's epoch now, or null when the lease is lost.
   */
  async checkpoint(lease: Lease, results: string, pushed: boolean): Promise<number | null> {
    const [rows] = await this.dataSource.query<[{ epoch: number }[], number]>(
      prepared(
        'checkpoint',
        `UPDATE batches b SET results = $3, lease_until = now() + make_interval(secs => $4), ${PUSHED('$5')}, ${BARREN('$3')}
       FROM alerts a WHERE b.id = $1 AND b.epoch = $2 AND b.state = 'leased' AND a.id = b.alert_id
       RETURNING a.epoch`,
      ),
      [lease.batchId, lease.epoch, results, LEASE_SECONDS, pushed],
    );
    return rows[0]?.epoch ?? null;
  }

  /** Keeps the lease while nothing is to be written; of a lost lease nothing is kept. */
  async renew(lease: Lease): Promise<void> {
    await this.dataSource.query(
      `UPDATE batches SET lease_until = now() + make_interval(secs => $3)
       WHERE id = $1 AND epoch = $2 AND state = 'leased'`,
      [lease.batchId, lease.epoch, LEASE_SECONDS],
    );
  }

  /**
   * Ends the lease: settled, or pending again with a time to run at. The caller holds the alert: see {@link standing}.
   * @returns whether the lease was still held.
   */
  async settle(tx: EntityManager, lease: Lease, settlement: Settlement): Promise<boolean> {
    const [, held] = await tx.query<[unknown[], number]>(
      `UPDATE batches SET ${SETTLED} WHERE ${HELD}`,
      settled(lease, settlement),
    );
    return held === 1;
  }

  /**
   * {@link standing} and {@link settle} in one statement, for the usual case: nothing has overtaken the batch since its claim. Whatever
   * puts it behind grows its alert's epoch, which is read again once the alert is locked.
   * @param tx by default the statement is a transaction of its own
   * @returns false where the alert's epoch has grown or the lease was lost: nothing is changed
   */
  async settleAbreast(
    lease: Lease,
    settlement: Settlement,
    tx: EntityManager = this.dataSource.manager,
  ): Promise<boolean> {
    const [, held] = await tx.query<[unknown[], number]>(
      prepared(
        'settle',
        `WITH gate AS MATERIALIZED (SELECT ${besideGate('$7::text')}),
         alert AS MATERIALIZED (SELECT 1 FROM gate, alerts a WHERE a.id = $7::uuid AND a.epoch = $8 FOR SHARE OF a)
       UPDATE batches SET ${SETTLED} FROM alert WHERE ${HELD}`,
      ),
      [...settled(lease, settlement), lease.alertId, lease.alertEpoch],
    );
    return held === 1;
  }

  /**
   * Ends the lease of a batch whose work threw: pending again after a while, or dead after a few times.
   * @returns what became of it; null when the lease was no longer held
   */
  async fault(tx: EntityManager, lease: Lease, results: string, pushed: boolean, reason: string) {
    const dies = `faults + 1 >= ${FAULTS}`;
    const [rows] = await tx.query<[{ state: 'pending' | 'dead' }[], number]>(
      `UPDATE batches SET results = $3, lease_until = NULL, faults = faults + 1, run_at = now() + make_interval(secs => 4 ^ faults),
         ${DEAD(dies, '$5')}, ${PUSHED('$4')}, ${BARREN('$3')}
       WHERE id = $1 AND epoch = $2 AND state = 'leased' RETURNING state`,
      [lease.batchId, lease.epoch, results, pushed, reason],
    );
    return rows[0]?.state ?? null;
  }

  /**
   * Locks a batch's alert: a message, a stop or an ending waits for this transaction, or this one sees it.
   * @returns null when there is no such batch
   */
  async standing(tx: EntityManager, batchId: number): Promise<Standing | null> {
    const [batch] = await tx.query<{ alertId: string }[]>('SELECT alert_id AS "alertId" FROM batches WHERE id = $1', [
      batchId,
    ]);
    if (!batch) return null;
    await enterBeside(tx, batch.alertId);
    await tx.query('SELECT 1 FROM alerts WHERE id = $1 FOR SHARE', [batch.alertId]);
    // A statement of its own: its snapshot begins once the lock is held.
    const [row] = await tx.query<[{ behind: boolean }]>(
      `SELECT b.version < ${NEWEST} OR ${STOPPED} AS behind
       FROM batches b JOIN waves w ON w.id = b.wave_id JOIN alerts a ON a.id = b.alert_id WHERE b.id = $1`,
      [batchId],
    );
    return { ...batch, ...row };
  }

  /** Whether a batch at rest has to be brought up before anybody can claim it. */
  async isBehind(batchId: number, epoch: number): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      `SELECT 1 FROM batches b JOIN waves w ON w.id = b.wave_id JOIN alerts a ON a.id = b.alert_id
       WHERE b.id = $1 AND b.epoch = $2 AND b.state = 'pending' AND (b.version < ${NEWEST} OR ${STOPPED})`,
      [batchId, epoch],
    );
    return rows.length > 0;
  }

  /** The alert's epoch now, which grows with whatever overtakes its batches; null without the alert. */
  async alertEpoch(alertId: string): Promise<number | null> {
    const rows = await this.dataSource.query<{ epoch: number }[]>('SELECT epoch FROM alerts WHERE id = $1', [alertId]);
    return rows[0]?.epoch ?? null;
  }

  /** Batches whose worker went silent. */
  async silent(): Promise<number[]> {
    const rows = await this.dataSource.query<{ id: number }[]>(
      `SELECT id FROM batches WHERE state = 'leased' AND lease_until < now() ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  /**
   * Takes a batch from a worker that went silent, and counts the lost lease. One whose workers always die is set aside.
   * @returns what became of it; null when somebody did, or the worker spoke
   */
  async takeBack(tx: EntityManager, batchId: number) {
    const [rows] = await tx.query<[{ state: 'pending' | 'dead' }[], number]>(
      `UPDATE batches SET lease_until = NULL, run_at = now(), lost_leases = lost_leases + 1, barren = barren + 1,
         ${DEAD(`barren + 1 >= ${BARREN_LEASES}`, `'workers_died'`)}
       WHERE id = $1 AND state = 'leased' AND lease_until < now() RETURNING state`,
      [batchId],
    );
    return rows[0]?.state ?? null;
  }

  /**
   * The next batches of every flow that is not held, at most `perFlow` each, nearest first over all of its unsettled waves:
   * who came late stands among those of their band, and late waves take no share of their own.
   */
  ready(perFlow: number, withinMs: number): Promise<ReadyBatch[]> {
    return this.dataSource.query<ReadyBatch[]>(
      `SELECT "waveId", ends, id AS "batchId", seq, band, epoch,
         greatest(0, ceil(extract(epoch FROM run_at - now()) * 1000))::int AS "delayMs"
       FROM (
         SELECT b.*, w.id AS "waveId", m.kind NOT IN ('alert', 'update') AS ends,
           row_number() OVER (PARTITION BY w.alert_id, w.audience ORDER BY b.band, w.id, b.seq) AS place
         FROM waves w JOIN alerts a ON a.id = w.alert_id JOIN messages m ON m.id = w.message_id CROSS JOIN LATERAL (
           SELECT id, epoch, run_at, seq, band FROM batches
           WHERE wave_id = w.id AND state = 'pending' AND run_at <= now() + make_interval(secs => $2::float8 / 1000)
           ORDER BY seq LIMIT $1
         ) b
         WHERE w.settled_at IS NULL AND (a.held_at IS NULL OR w.passes_hold)
       ) next
       WHERE place <= $1 ORDER BY seq, band`,
      [perFlow, withinMs],
    );
  }
}

const NEWEST = '(SELECT max(version) FROM messages WHERE alert_id = a.id)';

/** Of a stopped alert no ring is asked any more; those asked before are still told what follows. */
const STOPPED = `(w.audience = 'ring' AND a.stopped_at IS NOT NULL)`;

/** No push outlives its alert; an ending may, so that phones that were offline are told too. */
export const DEADLINE = `(CASE WHEN w.audience = 'notified' AND m.kind NOT IN ('alert', 'update')
  THEN w.created_at + interval '${ENDING_HOURS} hours' ELSE a.expires_at END)`;

/** What makes a batch pending again or, on a condition, dead for a reason. */
const DEAD = (condition: string, reason: string) => `
  state = CASE WHEN ${condition} THEN 'dead' ELSE 'pending' END,
  dead_reason = CASE WHEN ${condition} THEN ${reason} END,
  dead_at = CASE WHEN ${condition} THEN now() END`;

/** Leases lost in a row since the results of somebody were learnt: a worker that came further starts the count anew. */
const BARREN = (results: string) =>
  `barren = CASE WHEN octet_length(translate(${results}, '.~', '')) > size - pending THEN 0 ELSE barren END`;

const HELD = `id = $1 AND epoch = $2 AND state = 'leased'`;

const PUSHED = (pushed: string) => `
  first_push_at = CASE WHEN ${pushed} THEN coalesce(first_push_at, clock_timestamp()) ELSE first_push_at END,
  last_push_at = CASE WHEN ${pushed} THEN clock_timestamp() ELSE last_push_at END`;

const SETTLED = `results = $3, lease_until = NULL, state = CASE WHEN $4::float8 IS NULL THEN 'settled' ELSE 'pending' END,
  run_at = coalesce(now() + make_interval(secs => $4::float8 / 1000), run_at),
  attempt = attempt - $6::int, faults = 0, ${PUSHED('$5')}, ${BARREN('$3')}`;

const settled = ({ batchId, epoch }: Lease, { results, retryMs, pushed, tried }: Settlement) => [
  batchId,
  epoch,
  results,
  retryMs,
  pushed,
  tried ? 0 : 1,
];
