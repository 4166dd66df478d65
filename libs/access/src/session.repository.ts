import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Role } from './actor.ts';
import { Session } from './session.entity.ts';

export interface LiveSession {
  readonly officerId: string;
  readonly agencyId: string;
  readonly roles: readonly Role[];
  /** Whether `seen_at` is old enough to be worth a write. */
  readonly stale: boolean;
}

@Injectable()
export class SessionRepository {
  async insert(tx: EntityManager, secretHash: Buffer, officerId: string, lifetimeS: number): Promise<void> {
    await tx.query(
      `INSERT INTO sessions (secret_hash, officer_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))`,
      [secretHash, officerId, lifetimeS],
    );
  }

  /** The session of a secret, unless it ended: by its age, by disuse, by sign-out or with its officer. */
  async live(tx: EntityManager, secretHash: Buffer, idleS: number, staleS: number): Promise<LiveSession | undefined> {
    const rows = await tx.query<LiveSession[]>(
      `SELECT officer.id AS "officerId", officer.agency_id AS "agencyId", officer.roles,
              session.seen_at < now() - make_interval(secs => $3) AS stale
       FROM sessions AS session JOIN officers AS officer ON officer.id = session.officer_id
       WHERE session.secret_hash = $1 AND session.revoked_at IS NULL AND session.expires_at > now()
         AND session.seen_at > now() - make_interval(secs => $2) AND officer.disabled_at IS NULL`,
      [secretHash, idleS, staleS],
    );
    return rows[0];
  }

  async touch(tx: EntityManager, secretHash: Buffer): Promise<void> {
    await tx.update(Session, { secretHash }, { seenAt: () => 'now()' });
  }

  async revoke(tx: EntityManager, secretHash: Buffer): Promise<void> {
    await tx.update(Session, { secretHash }, { revokedAt: () => 'coalesce(revoked_at, now())' });
  }

  async deleteEnded(tx: EntityManager, days: number): Promise<void> {
    await tx.query('DELETE FROM sessions WHERE least(expires_at, revoked_at) < now() - make_interval(days => $1)', [
      days,
    ]);
  }
}
