import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ENV, type Env, hashSecret, Keys, networkOf, newSecret, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { OfficerActor } from './actor.ts';
import { isSecondFactorRequired } from './second-factor-policy.ts';
import { type ListedSession, type LiveSession, SessionRepository } from './session.repository.ts';

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

/** How a session begins. */
export interface SessionStart {
  readonly officerId: string;
  /** The client's address; only a keyed digest of its network is kept. */
  readonly address: string;
  /** Whether a second factor was shown. */
  readonly secondFactor: boolean;
}

/** A live session as its officer sees it. */
export interface SessionView extends Omit<ListedSession, 'network'> {
  /** Equal for sessions from one network, and meaningless beyond that; null when it is not known. */
  readonly network: string | null;
}

/** Sign-ins that last: on the server, so that they can be ended there. */
@Injectable()
export class Sessions {
  private readonly secondFactorRequired: boolean;

  constructor(
    private readonly dataSource: DataSource,
    private readonly sessions: SessionRepository,
    private readonly keys: Keys,
    @Inject(ENV) env: Env,
  ) {
    this.secondFactorRequired = isSecondFactorRequired(env);
  }

  /** @returns the session's id, and its secret for the officer's cookie alone: only its hash is kept. */
  async open(tx: EntityManager, start: SessionStart): Promise<{ id: string; secret: string }> {
    const secret = newSecret();
    const { officerId, address, secondFactor } = start;
    const network = this.keys.mac('session-network', networkOf(address), 6);
    const row = { secretHash: hashSecret(secret), officerId, network, secondFactor };
    return { id: await this.sessions.insert(tx, row, SESSION_LIFETIME_S), secret };
  }

  /**
   * Who holds a session; checked against the officer and the agency at each request.
   * @param enrolling that a session may pass in which the second factor this deployment demands was not shown.
   * @throws Refusal `session_invalid` for a session that is unknown, expired, unused for an hour, or ended;
   *   `second_factor_missing`.
   */
  async actorOf(secret: string, { enrolling = false } = {}): Promise<OfficerActor> {
    const { manager } = this.dataSource;
    const session = await this.sessions.live(manager, hashSecret(secret), SESSION_IDLE_S, SEEN_EVERY_S);
    if (!session) throw refuse('session_invalid', 'Your session has ended. Sign in again.');
    if (session.stale) await this.sessions.touch(manager, hashSecret(secret));
    if (this.isLimited(session) && !enrolling) {
      throw refuse('second_factor_missing', 'Set up a second factor first (POST /v1/second-factor).');
    }
    const { id: sessionId, officerId: id, agencyId, belowIds, roles, steppedUpAt } = session;
    return { kind: 'officer', id, agencyId, belowIds, roles, sessionId, steppedUpAt };
  }

  /** Whether a session can do nothing but set up a second factor. */
  isLimited({ secondFactor }: Pick<LiveSession, 'secondFactor'>): boolean {
    return this.secondFactorRequired && !secondFactor;
  }

  /** The officer's live sessions, newest first. */
  async list(officerId: string): Promise<SessionView[]> {
    const listed = await this.sessions.list(this.dataSource.manager, officerId, SESSION_IDLE_S);
    return listed.map(({ network, ...rest }) => ({ ...rest, network: network?.toString('base64url') ?? null }));
  }

  /** Ends one session with `tx`. */
  async revoke(tx: EntityManager, secret: string): Promise<void> {
    await this.sessions.revoke(tx, hashSecret(secret));
  }

  /** Ends one of the officer's sessions with `tx`. @returns whether there was such a one. */
  revokeOne(tx: EntityManager, officerId: string, id: string): Promise<boolean> {
    return this.sessions.revokeOne(tx, officerId, id);
  }

  /** Ends the officer's sessions with `tx`, all or all but one. @returns how many */
  revokeAll(tx: EntityManager, officerId: string, exceptId?: string): Promise<number> {
    return this.sessions.revokeAll(tx, officerId, exceptId);
  }

  /** Notes with `tx` that the officer has just proved who they are: see STEP_UP_S. */
  async steppedUp(tx: EntityManager, sessionId: string): Promise<void> {
    await this.sessions.stepUp(tx, sessionId);
  }

  /** Notes with `tx` whether a second factor stands behind the session. */
  async setSecondFactor(tx: EntityManager, sessionId: string, shown: boolean): Promise<void> {
    await this.sessions.setSecondFactor(tx, sessionId, shown);
  }

  /** Forgets sessions that expired or were ended more than 7 days ago. @returns how many */
  forgetEnded(): Promise<number> {
    return this.sessions.deleteEnded(this.dataSource.manager, ENDED_KEPT_DAYS);
  }
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
