import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Audit } from '#audit';
import { Transactions } from '#platform';
import { actorReference, type OfficerActor } from './actor.ts';
import { OfficerRepository } from './officer.repository.ts';
import { hashNewPassword } from './password.ts';
import { PasswordCheck, passwordWrong } from './password-check.service.ts';
import { Sessions } from './session.service.ts';
import type { Client } from './sign-in-throttle.ts';

/** Officers' own passwords. They do not expire; nobody else sets or learns one. */
@Injectable()
export class Passwords {
  constructor(
    private readonly dataSource: DataSource,
    private readonly check: PasswordCheck,
    private readonly officers: OfficerRepository,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Changes the officer's own, given the present one, and ends their other sessions.
   * @throws Refusal `password_wrong`, `password_unsuitable`, `too_many_attempts`
   */
  async change(actor: OfficerActor, present: string, next: string, client: Client): Promise<void> {
    const { officer, attempt } = await this.check.ofOfficer(actor.id, present, client);
    await attempt.succeeded();
    const hash = await hashNewPassword(next, await this.officers.contextOf(this.dataSource.manager, actor.id));
    await this.transactions.run(async ({ tx }) => {
      await this.officers.hold(tx, actor.id);
      // Changed meanwhile, from another browser: the one who knew the older password does not win.
      if (!(await this.officers.holdForSignIn(tx, officer))) throw passwordWrong();
      await this.officers.setPassword(tx, actor.id, hash);
      await this.sessions.revokeAll(tx, actor.id, actor.sessionId);
      const reference = actorReference(actor);
      await this.audit.record(tx, {
        agencyId: actor.agencyId,
        actor: reference,
        action: 'password.change',
        thing: reference,
      });
    });
  }
}
