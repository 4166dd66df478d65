import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, Raw } from 'typeorm';
import { enterAlone } from './alert-gate.repository.ts';
import { Alert } from './alert.entity.ts';
import type { HoldReason, MessageKind, PublicAlert, Texts } from './alert.types.ts';
import { Message } from './message.entity.ts';

/** An alert with the public fields of its newest message. */
interface PublicRow extends Omit<PublicAlert, 'message'> {
  readonly kind: MessageKind;
  readonly version: number;
  readonly texts: Texts;
  readonly createdAt: Date;
}

@Injectable()
export class AlertRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: EntityManager, alert: Omit<Alert, 'createdAt'>, caseId: string): Promise<void> {
    await tx.insert(Alert, alert);
    await tx.query('INSERT INTO alert_cases (alert_id, case_id) VALUES ($1, $2)', [alert.id, caseId]);
  }

  async update(tx: EntityManager, id: string, patch: Partial<Omit<Alert, 'id'>>): Promise<void> {
    await tx.update(Alert, { id }, patch);
  }

  async remove(tx: EntityManager, id: string): Promise<void> {
    await tx.delete(Alert, { id });
  }

  find(tx: EntityManager, id: string): Promise<Alert | null> {
    return tx.findOneBy(Alert, { id });
  }

  /** Rows that only name the alert, such as forwards, are added all the same. */
  async lock(tx: EntityManager, id: string): Promise<Alert | null> {
    await enterAlone(tx, id);
    return tx.findOne(Alert, { where: { id }, lock: { mode: 'for_no_key_update' } });
  }

  /** Locks a live alert whose time is over; null when it has ended, or was renewed meanwhile. */
  async lockOverdue(tx: EntityManager, id: string): Promise<Alert | null> {
    await enterAlone(tx, id);
    const expiresAt = Raw((column) => `${column} <= now()`);
    return tx.findOne(Alert, { where: { id, state: 'live', expiresAt }, lock: { mode: 'for_no_key_update' } });
  }

  /** The case's newest alert that was not withdrawn. */
  ofCase(caseId: string, tx: EntityManager = this.dataSource.manager): Promise<Alert | null> {
    return tx
      .createQueryBuilder(Alert, 'a')
      .innerJoin('alert_cases', 'ac', 'ac.alert_id = a.id')
      .where(`ac.case_id = :caseId AND a.state <> 'withdrawn'`, { caseId })
      .orderBy('a.created_at', 'DESC')
      .getOne();
  }

  /** Goes live now, by PostgreSQL's clock; its hours count from when sending begins. */
  async release(tx: EntityManager, id: string, from: Date | null): Promise<void> {
    await tx.query(
      `UPDATE alerts SET state = 'live', released_at = clock_timestamp(),
         expires_at = coalesce($2::timestamptz, clock_timestamp()) + make_interval(hours => hours) WHERE id = $1`,
      [id, from],
    );
  }

  /** The public photo goes with it. */
  async end(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `WITH photo AS (DELETE FROM alert_photos WHERE alert_id = $1)
       UPDATE alerts SET state = 'ended', ended_at = clock_timestamp() WHERE id = $1`,
      [id],
    );
  }

  /** Makes batches under way stop at their next checkpoint. */
  async overtake(tx: EntityManager, id: string): Promise<void> {
    await tx.query('UPDATE alerts SET epoch = epoch + 1 WHERE id = $1', [id]);
  }

  /** @param officerId null where the system does */
  async hold(tx: EntityManager, id: string, officerId: string | null, reason: HoldReason): Promise<void> {
    await tx.query(
      `UPDATE alerts SET held_at = clock_timestamp(), held_by = $2, held_reason = $3, epoch = epoch + 1 WHERE id = $1`,
      [id, officerId, reason],
    );
  }

  async resume(tx: EntityManager, id: string): Promise<void> {
    await tx.query(
      `UPDATE alerts SET held_at = NULL, held_by = NULL, held_reason = NULL, resumed_at = clock_timestamp() WHERE id = $1`,
      [id],
    );
  }

  async stop(tx: EntityManager, id: string, officerId: string): Promise<void> {
    await tx.query(
      `UPDATE alerts SET stopped_at = clock_timestamp(), stopped_by = $2, epoch = epoch + 1 WHERE id = $1`,
      [id, officerId],
    );
  }

  async endLadder(tx: EntityManager, id: string, officerId: string): Promise<void> {
    await tx.query('UPDATE alerts SET ladder_ended_at = clock_timestamp(), ladder_ended_by = $2 WHERE id = $1', [
      id,
      officerId,
    ]);
  }

  /** Runs on for so many hours from now, by PostgreSQL's clock; never shorter than it would have. */
  async renew(tx: EntityManager, id: string, hours: number): Promise<void> {
    await tx.query(
      `UPDATE alerts SET expires_at = greatest(expires_at, clock_timestamp() + make_interval(hours => $2)) WHERE id = $1`,
      [id, hours],
    );
  }

  /** Live alerts with something still to be sent, that are of an agency or carry an officer's hand: what a freezing holds. */
  async sending(tx: EntityManager, whose: { readonly agencyId: string } | { readonly officerId: string }) {
    const [condition, value] =
      'officerId' in whose
        ? [
            `EXISTS (SELECT 1 FROM alert_cases ac JOIN cases c ON c.id = ac.case_id
               WHERE ac.alert_id = a.id AND ($1 = ANY (c.author_ids) OR c.verifier_id = $1))
             OR EXISTS (SELECT 1 FROM alert_changes h
               WHERE h.alert_id = a.id AND h.state = 'approved' AND ($1 = ANY (h.author_ids) OR h.decided_by = $1))`,
            whose.officerId,
          ]
        : ['a.agency_id = $1', whose.agencyId];
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM alerts a WHERE state = 'live' AND held_at IS NULL AND (${condition})
         AND (EXISTS (SELECT 1 FROM waves w JOIN batches b ON b.wave_id = w.id
             WHERE w.alert_id = a.id AND w.settled_at IS NULL AND b.state <> 'settled')
           -- A neighbour's yes would send.
           OR EXISTS (SELECT 1 FROM alert_lands l WHERE l.alert_id = a.id AND l.state = 'asked'))
       ORDER BY id`,
      [value],
    );
    return rows.map((row) => row.id);
  }

  /**
   * The time of live alerts about a case that is erased is over: nobody can end them. Such there are only where a database was
   * restored. @returns how many
   */
  async expireErased(tx: EntityManager): Promise<number> {
    const [, expired] = await tx.query<[unknown[], number]>(
      `UPDATE alerts SET expires_at = now() WHERE state = 'live' AND id IN (
         SELECT ac.alert_id FROM alert_cases ac JOIN cases c ON c.id = ac.case_id WHERE c.erased_at IS NOT NULL)`,
    );
    return expired;
  }

  /** Every live alert whose time is not over and that is not held, in the order in which such are locked. */
  async unheld(tx: EntityManager): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM alerts WHERE state = 'live' AND held_at IS NULL AND expires_at > now() ORDER BY id`,
    );
    return rows.map((row) => row.id);
  }

  /** Live alerts whose time is over. */
  async overdue(limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT id FROM alerts WHERE state = 'live' AND expires_at <= now() ORDER BY expires_at LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  async insertMessage(tx: EntityManager, message: Omit<Message, 'createdAt'>): Promise<void> {
    await tx.insert(Message, message);
  }

  async replaceTexts(tx: EntityManager, alertId: string, texts: Texts, authorId: string | null): Promise<void> {
    await tx.update(Message, { alertId, version: 1 }, { texts, authorId });
  }

  latestMessage(alertId: string, tx: EntityManager = this.dataSource.manager): Promise<Message | null> {
    return tx.findOne(Message, { where: { alertId }, order: { version: 'DESC' } });
  }

  async publicBySlugs(slugs: readonly string[]): Promise<PublicAlert[]> {
    const rows = await this.dataSource.query<PublicRow[]>(
      `SELECT DISTINCT ON (a.id) a.id, a.slug, CASE WHEN a.expires_at <= now() THEN 'ended' ELSE a.state END AS state, a.mode, a.tier, a.area, a.place, a.call_number AS "callNumber", a.instruction,
         EXISTS (SELECT FROM alert_photos p WHERE p.alert_id = a.id) AS "hasPhoto", a.released_at AS "releasedAt", a.expires_at AS "expiresAt",
         a.ended_at AS "endedAt", a.erased_at IS NOT NULL AS erased, m.kind, m.version, m.texts, m.created_at AS "createdAt"
       FROM alerts a JOIN messages m ON m.alert_id = a.id
       WHERE a.slug = ANY($1::text[]) AND a.state IN ('live', 'ended') ORDER BY a.id, m.version DESC`,
      [slugs],
    );
    return rows.map(({ kind, version, texts, createdAt, ...alert }) => ({
      ...alert,
      message: { kind, version, texts, createdAt },
    }));
  }

  async caseIds(alertId: string, tx: EntityManager = this.dataSource.manager): Promise<string[]> {
    const rows = await tx.query<{ case_id: string }[]>('SELECT case_id FROM alert_cases WHERE alert_id = $1', [
      alertId,
    ]);
    return rows.map((row) => row.case_id);
  }

  async caseIdsBySlug(slug: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ case_id: string }[]>(
      'SELECT c.case_id FROM alert_cases c JOIN alerts a ON a.id = c.alert_id WHERE a.slug = $1',
      [slug],
    );
    return rows.map((row) => row.case_id);
  }
}
