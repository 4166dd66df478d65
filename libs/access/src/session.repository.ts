import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';
import type { Role } from './actor.ts';
import { Session } from './session.entity.ts';

export interface LiveSession {
  readonly id: string;
  readonly officerId: string;
  readonly agencyId: string;
  readonly belowIds: readonly string[];
  readonly roles: readonly Role[];
  readonly steppedUpAt: Date;
  readonly secondFactor: boolean;
  /** Whether `seen_at` is old enough to be worth a write. */
  readonly stale: boolean;
}

export type NewSession = Pick<Session, 'secretHash' | 'officerId' | 'network' | 'secondFactor'>;

export type ListedSession = Pick<Session, 'id' | 'createdAt' | 'seenAt' | 'expiresAt' | 'network' | 'secondFactor'>;

/** Not ended by its age, by disuse ($2: seconds), by sign-out, with its officer or with the agency. */
const LIVE = `session.revoked_at IS NULL AND session.expires_at > now()
  AND session.seen_at > now() - make_interval(secs => $2)
  AND officer.disabled_at IS NULL AND officer.frozen_at IS NULL AND agency.frozen_at IS NULL`;

const FROM = `sessions AS session
  JOIN officers AS officer ON officer.id = session.officer_id
  JOIN agencies AS agency ON agency.id = officer.agency_id`;

@Injectable()
export class SessionRepository {
  /** @returns the session's id. */
  async insert(tx: EntityManager, session: NewSession, lifetimeS: number): Promise<string> {
    const [{ id }] = await tx.query<[{ id: string }]>(
      `INSERT INTO sessions (secret_hash, officer_id, network, second_factor, expires_at)
       VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5)) RETURNING id`,
      [session.secretHash, session.officerId, session.network, session.secondFactor, lifetimeS],
    );
    return id;
  }

  /** The session of a secret, unless it ended. */
  async live(tx: EntityManager, secretHash: Buffer, idleS: number, staleS: number): Promise<LiveSession | undefined> {
    const rows = await tx.query<LiveSession[]>(
      `SELECT session.id, officer.id AS "officerId", officer.agency_id AS "agencyId", officer.roles,
              session.stepped_up_at AS "steppedUpAt", session.second_factor AS "secondFactor",
              session.seen_at < now() - make_interval(secs => $3) AS stale,
              ARRAY(
                WITH RECURSIVE below AS (
                  SELECT id FROM agencies WHERE parent_id = officer.agency_id
                  UNION SELECT child.id FROM agencies AS child JOIN below ON child.parent_id = below.id
                ) SELECT id FROM below
              ) AS "belowIds"
       FROM ${FROM} WHERE session.secret_hash = $1 AND ${LIVE}`,
      [secretHash, idleS, staleS],
    );
    return rows[0];
  }

  /** An officer's live sessions, newest first. */
  async list(tx: EntityManager, officerId: string, idleS: number): Promise<ListedSession[]> {
    return tx.query<ListedSession[]>(
      `SELECT session.id, session.created_at AS "createdAt", session.seen_at AS "seenAt",
              session.expires_at AS "expiresAt", session.network, session.second_factor AS "secondFactor"
       FROM ${FROM} WHERE officer.id = $1 AND ${LIVE} ORDER BY session.created_at DESC, session.id`,
      [officerId, idleS],
    );
  }

  async touch(tx: EntityManager, secretHash: Buffer): Promise<void> {
    await tx.update(Session, { secretHash }, { seenAt: () => 'now()' });
  }

  async stepUp(tx: EntityManager, id: string): Promise<void> {
    await tx.update(Session, { id }, { steppedUpAt: () => 'clock_timestamp()' });
  }

  async setSecondFactor(tx: EntityManager, id: string, shown: boolean): Promise<void> {
    await tx.update(Session, { id }, { secondFactor: shown });
  }

  async revoke(tx: EntityManager, secretHash: Buffer): Promise<void> {
    await tx.update(Session, { secretHash, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
  }

  /** @returns whether the officer had such a session that had not been ended. */
  async revokeOne(tx: EntityManager, officerId: string, id: string): Promise<boolean> {
    const ended = await tx.update(Session, { officerId, id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return ended.affected === 1;
  }

  /** @returns how many were ended. */
  async revokeAll(tx: EntityManager, officerId: string, exceptId?: string): Promise<number> {
    const others = exceptId === undefined ? {} : { id: Not(exceptId) };
    const ended = await tx.update(Session, { officerId, ...others, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return ended.affected ?? 0;
  }

  async revokeAgency(tx: EntityManager, agencyId: string): Promise<void> {
    await tx.query(
      `UPDATE sessions SET revoked_at = now() FROM officers
       WHERE officers.id = sessions.officer_id AND officers.agency_id = $1 AND revoked_at IS NULL`,
      [agencyId],
    );
  }

  /** @returns how many */
  async deleteEnded(tx: EntityManager, days: number): Promise<number> {
    const [, deleted] = await tx.query<[unknown[], number]>(
      'DELETE FROM sessions WHERE least(expires_at, revoked_at) < now() - make_interval(days => $1)',
      [days],
    );
    return deleted;
  }
}
