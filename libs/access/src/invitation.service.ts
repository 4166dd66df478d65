import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { hashSecret, newSecret, Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference } from './actor.ts';
import { InvitationRepository } from './invitation.repository.ts';
import { OfficerRepository } from './officer.repository.ts';
import { hashNewPassword } from './password.ts';
import { Sessions } from './session.service.ts';

/** How long an invitation waits: a weekend and a night shift. */
const INVITATION_HOURS = 72;

/** An invitation as it is handed over; its secret is told this once. */
export interface IssuedInvitation {
  readonly secret: string;
  readonly expiresAt: Date;
}

/** Lets officers set their own password, so that no administrator ever knows one. */
@Injectable()
export class Invitations {
  constructor(
    private readonly invitations: InvitationRepository,
    private readonly officers: OfficerRepository,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
    private readonly dataSource: DataSource,
  ) {}

  /** Invites with `tx`; an earlier invitation ends. Authority and the audit are the caller's. */
  async issue(tx: EntityManager, officerId: string): Promise<IssuedInvitation> {
    const secret = newSecret();
    return { secret, expiresAt: await this.invitations.put(tx, officerId, hashSecret(secret), INVITATION_HOURS) };
  }

  /** Takes an open invitation back with `tx`. */
  async withdraw(tx: EntityManager, officerId: string): Promise<void> {
    await this.invitations.remove(tx, officerId);
  }

  /** Forgets invitations that nobody took up in time. @returns how many */
  forgetExpired(): Promise<number> {
    return this.invitations.deleteExpired(this.dataSource.manager);
  }

  /**
   * Sets the password of the officer who was invited, once, and ends every session of theirs.
   * @returns the login to sign in with.
   * @throws Refusal `invitation_invalid` (unknown, used, expired or overtaken), `password_unsuitable`
   */
  accept(secret: string, password: string): Promise<string> {
    return this.transactions.run(async ({ tx }) => {
      const officer = await this.officers.byInvitation(tx, hashSecret(secret));
      if (!officer) {
        const detail = 'The invitation was used, has expired or was replaced. Ask your administrator for another.';
        throw new Refusal<AccessRefusal>('invitation_invalid', detail);
      }
      const { id, agencyId, login } = officer;
      const context = await this.officers.contextOf(tx, id);
      await this.officers.setPassword(tx, id, await hashNewPassword(password, context));
      await this.invitations.remove(tx, id);
      await this.sessions.revokeAll(tx, id);
      const actor = actorReference({ kind: 'officer', id });
      await this.audit.record(tx, { agencyId, actor, action: 'officer.invitation.accept', thing: actor });
      return login;
    });
  }
}
