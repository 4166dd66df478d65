import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { hashSecret, newSecret, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { OfficerActor } from './actor.ts';
import { SessionRepository } from './session.repository.ts';

/**
 * How long a sign-in lasts, in seconds. A shift is twelve hours, and nobody should have to sign in twice with a family in
 * the room. An abandoned session on a shared desk is how one officer could both submit and verify, so an hour without a
 * request ends it (NIST SP 800-63B-4 §2.2.3 asks at most 24 h and 1 h).
 */
export const SESSION_LIFETIME_S = 12 * 60 * 60;
const SESSION_IDLE_S = 60 * 60;

/** Reads between writes of `seen_at`: a minute's error in an hour is not worth a write per request. */
const SEEN_EVERY_S = 60;

/** How long an ended session stays known, for whoever looks into a misuse; its secret opens nothing. */
const ENDED_KEPT_DAYS = 7;

/** Sign-ins that last: on the server, so that they can be ended there. */
@Injectable()
export class Sessions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionRepository,
  ) {}

  /** @returns the session's secret, for the officer's cookie alone: only its hash is kept. */
  async open(tx: EntityManager, officerId: string): Promise<string> {
    const secret = newSecret();
    await this.sessions.insert(tx, hashSecret(secret), officerId, SESSION_LIFETIME_S);
    return secret;
  }

  /** @throws Refusal `session_invalid` for a session that is unknown, expired, unused for an hour, or ended. */
  async actorOf(secret: string): Promise<OfficerActor> {
    const { manager } = this.dataSource;
    const session = await this.sessions.live(manager, hashSecret(secret), SESSION_IDLE_S, SEEN_EVERY_S);
    if (!session) throw new Refusal<AccessRefusal>('session_invalid', 'Your session has ended. Sign in again.');
    if (session.stale) await this.sessions.touch(manager, hashSecret(secret));
    return { kind: 'officer', id: session.officerId, agencyId: session.agencyId, roles: session.roles };
  }

  /** Ends one session with `tx`. */
  async revoke(tx: EntityManager, secret: string): Promise<void> {
    await this.sessions.revoke(tx, hashSecret(secret));
  }

  /** Forgets sessions that expired or were ended more than 7 days ago. */
  forgetEnded(): Promise<void> {
    return this.sessions.deleteEnded(this.dataSource.manager, ENDED_KEPT_DAYS);
  }
}
