import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference, type OfficerActor } from './actor.ts';
import { type Credentials, OfficerRepository } from './officer.repository.ts';
import { type Checked, PasswordCheck, signInFailed } from './password-check.service.ts';
import { type FactorShown, SecondFactor } from './second-factor.service.ts';
import { Sessions } from './session.service.ts';
import type { Client } from './sign-in-throttle.ts';

/** What an officer proves who they are with. */
export interface Proof {
  readonly password: string;
  /** Of the authenticator app, or a recovery code; needed once a second factor is set up. */
  readonly code?: string | undefined;
}

/** How a session begins, once who it is for was proved. */
export interface Beginning {
  readonly client: Client;
  /** The secret of the session that the browser still holds, which ends. */
  readonly earlier?: string | undefined;
  /** What was shown beside or instead of the password; for the audit. */
  readonly factor: FactorShown | 'identity_provider' | null;
  /** Whether that counts as a second factor. */
  readonly secondFactor: boolean;
}

/** Whose session is stepped up. */
export type SteppedUp = Pick<OfficerActor, 'id' | 'agencyId' | 'sessionId'>;

/** An opened session; the secret is for the officer's cookie alone. */
export interface Opened {
  readonly officerId: string;
  readonly secret: string;
}

/** Lets officers in and out, and asks again who they are. */
@Injectable()
export class SignIn {
  constructor(
    private readonly passwords: PasswordCheck,
    private readonly officers: OfficerRepository,
    private readonly secondFactor: SecondFactor,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Opens a session by login, password and, once a second factor is set up, a code.
   * @param earlier the secret of the session that the browser still holds, which ends.
   * @throws Refusal `sign_in_failed`, `second_factor_required` or `too_many_attempts`.
   */
  async withPassword(login: string, proof: Proof, client: Client, earlier?: string): Promise<Opened> {
    const checked = await this.passwords.ofLogin(login, proof.password, client);
    const enrolled = await this.demandCode(checked, proof);
    const opened = await this.transactions.run(async ({ tx }) => {
      const factor = enrolled && (await this.secondFactor.use(tx, checked.officer.id, proof.code ?? ''));
      if (enrolled && !factor) throw signInFailed();
      return this.begin(tx, checked.officer, {
        client,
        earlier,
        factor: factor || null,
        secondFactor: Boolean(factor),
      });
    });
    await checked.attempt.succeeded();
    return opened;
  }

  /**
   * Opens a session for an officer who was recognised, with `tx`.
   * @param officer as they were when they were recognised.
   * @throws Refusal `sign_in_failed` when their password changed, a second factor was set up, or they were shut out meanwhile.
   */
  async begin(tx: EntityManager, officer: Credentials, beginning: Beginning): Promise<Opened> {
    const { client, earlier, factor, secondFactor } = beginning;
    if (!(await this.officers.holdForSignIn(tx, officer))) throw signInFailed();
    if (!secondFactor && (await this.secondFactor.isEnrolled(officer.id, tx))) throw signInFailed();
    if (earlier !== undefined) await this.sessions.revoke(tx, earlier);
    const { address } = client;
    const { id, secret } = await this.sessions.open(tx, { officerId: officer.id, address, secondFactor });
    await this.record(tx, officer, 'session.open', { session: id, factor });
    return { officerId: officer.id, secret };
  }

  /** Ends one of the officer's own sessions, e.g. this one to sign out. @throws Refusal `session_not_found` */
  end(actor: OfficerActor, sessionId: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      if (!(await this.sessions.revokeOne(tx, actor.id, sessionId))) {
        throw new Refusal<AccessRefusal>('session_not_found', 'You have no such session; it may have ended.');
      }
      await this.record(tx, actor, 'session.close', { session: sessionId });
    });
  }

  /** Ends all of the officer's sessions but this one. */
  endOthers(actor: OfficerActor): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const sessions = await this.sessions.revokeAll(tx, actor.id, actor.sessionId);
      await this.record(tx, actor, 'session.close_others', { sessions });
    });
  }

  /**
   * Proves again who is at the desk, by what signing in takes; good for STEP_UP_S.
   * @throws Refusal `password_wrong`, `second_factor_required`, `second_factor_code_wrong` or `too_many_attempts`.
   */
  async stepUp(actor: OfficerActor, proof: Proof, client: Client): Promise<void> {
    const checked = await this.passwords.ofOfficer(actor.id, proof.password, client);
    const enrolled = await this.demandCode(checked, proof);
    await this.transactions.run(async ({ tx }) => {
      const factor = enrolled ? await this.secondFactor.use(tx, actor.id, proof.code ?? '') : null;
      if (enrolled && !factor) throw codeWrong();
      await this.steppedUp(tx, actor, factor);
    });
    await checked.attempt.succeeded();
  }

  /** Notes with `tx` that the officer has just proved who they are, by whatever way. */
  async steppedUp(tx: EntityManager, actor: SteppedUp, factor: Beginning['factor']): Promise<void> {
    await this.sessions.steppedUp(tx, actor.sessionId);
    await this.record(tx, actor, 'session.step_up', { session: actor.sessionId, factor });
  }

  /** @returns whether a code must be right. @throws Refusal `second_factor_required`, `too_many_attempts` */
  private async demandCode(checked: Checked, { code }: Proof): Promise<boolean> {
    if (!(await this.secondFactor.isEnrolled(checked.officer.id))) return false;
    if (code === undefined) throw secondFactorRequired();
    await this.passwords.admitCode(checked);
    return true;
  }

  private record(
    tx: EntityManager,
    { id, agencyId }: Pick<Credentials, 'id' | 'agencyId'>,
    action: string,
    detail: Readonly<Record<string, string | number | null>>,
  ): Promise<void> {
    const actor = actorReference({ kind: 'officer', id });
    return this.audit.record(tx, { agencyId, actor, action, thing: actor, detail });
  }
}

function secondFactorRequired(): Refusal<AccessRefusal> {
  const detail = 'Send the code of your authenticator app, or a recovery code, along.';
  return new Refusal('second_factor_required', detail, { secondFactor: ['totp', 'recovery_code'] });
}

function codeWrong(): Refusal<AccessRefusal> {
  return new Refusal(
    'second_factor_code_wrong',
    'The code is wrong, was used already or is too old. Send the next one.',
  );
}
