import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { Transactions } from '#platform';
import { actorReference, type OfficerActor, type Role } from './actor.ts';
import { authorize } from './can.ts';
import { Grants } from './grant.service.ts';
import { Invitations, type IssuedInvitation } from './invitation.service.ts';
import { type ListedOfficer, OfficerRepository } from './officer.repository.ts';
import { Officers } from './officer.service.ts';
import { Reviews } from './review.service.ts';
import { assertRoles, roleChange, suspension } from './roles.ts';
import { SecondFactor } from './second-factor.service.ts';

export interface NewOfficer {
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What came of an act on an officer; a proposal waits for a second person. */
export interface Administered {
  readonly officerId: string;
  /** The proposal for the roles that take two people, or null. */
  readonly grantId: string | null;
}

/**
 * What administrators do, in their own agency alone: they let people in, and never learn a password. What no second person
 * confirms is listed for review: a liaison who was made up reads every case.
 */
@Injectable()
export class OfficerAdministration {
  constructor(
    private readonly officers: Officers,
    private readonly rows: OfficerRepository,
    private readonly grants: Grants,
    private readonly invitations: Invitations,
    private readonly secondFactor: SecondFactor,
    private readonly reviews: Reviews,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** The agency's officers, by name. @throws Refusal `forbidden` */
  list(actor: OfficerActor): Promise<ListedOfficer[]> {
    const { agencyId } = actor;
    authorize(actor, 'access.manage', { agencyId });
    return this.transactions.run(async ({ tx }) => {
      const officers = await this.rows.list(tx, agencyId);
      await this.record(tx, actor, 'officer.list', `agency:${agencyId}`, { officers: officers.length });
      return officers;
    });
  }

  /**
   * Makes an officer who sets their own password by an invitation.
   * @throws Refusal `forbidden`, `step_up_required`, `roles_conflict`, `login_taken`, `session_invalid`
   */
  invite(actor: OfficerActor, { login, name, roles }: NewOfficer): Promise<Administered & IssuedInvitation> {
    const { agencyId } = actor;
    authorize(actor, 'access.grant', { agencyId, authorIds: [] });
    assertRoles(roles);
    return this.transactions.run(async ({ tx }) => {
      await this.officers.demandStanding(tx, actor);
      const officerId = await this.officers.create(tx, { agencyId, login, name, roles: [] });
      const grantId = await this.grants.apply(tx, actor, { id: officerId, agencyId }, roleChange([], roles));
      const invitation = await this.invitations.issue(tx, officerId);
      await this.done(tx, actor, 'officer.invite', officerId, { roles: rolesOf(roles), grant: grantId });
      return { officerId, grantId, ...invitation };
    });
  }

  /**
   * Changes an officer's roles: what is taken goes at once, `verifier` and `administrator` wait for a second person.
   * @throws Refusal `officer_not_found`, `forbidden`, `own_access`, `step_up_required`, `roles_conflict`
   */
  setRoles(actor: OfficerActor, id: string, roles: readonly Role[]): Promise<Administered> {
    assertRoles(roles);
    return this.transactions.run(async ({ tx }) => {
      const officer = await this.officers.lock(tx, actor, 'access.grant', id);
      const change = roleChange(officer.roles, roles);
      const grantId = await this.grants.apply(tx, actor, officer, change);
      // An invitation kept since before would let its holder in with roles that were confirmed for somebody else.
      if (grantId && (await this.rows.hasPassword(tx, id))) await this.invitations.withdraw(tx, id);
      await this.done(tx, actor, 'officer.roles', id, { roles: rolesOf(roles), grant: grantId });
      return { officerId: id, grantId };
    });
  }

  /**
   * Lets an officer set their password anew. Roles that take two people rest until a second person confirms that the
   * invitation reached the officer and nobody else.
   * @throws Refusal `officer_not_found`, `forbidden`, `own_access`, `step_up_required`
   */
  inviteAgain(actor: OfficerActor, id: string): Promise<Administered & IssuedInvitation> {
    return this.transactions.run(async ({ tx }) => {
      const grantId = await this.suspend(tx, actor, id);
      const invitation = await this.invitations.issue(tx, id);
      await this.done(tx, actor, 'officer.invitation', id, { grant: grantId });
      return { officerId: id, grantId, ...invitation };
    });
  }

  /** Forgets an officer's second factor and ends their sessions; roles rest as in {@link inviteAgain}, and refusals are its. */
  resetSecondFactor(actor: OfficerActor, id: string): Promise<Administered> {
    return this.transactions.run(async ({ tx }) => {
      const grantId = await this.suspend(tx, actor, id);
      await this.secondFactor.reset(tx, id);
      await this.done(tx, actor, 'officer.second_factor.reset', id, { grant: grantId });
      return { officerId: id, grantId };
    });
  }

  /** An open proposal's roles stay proposed, by whoever resets now. */
  private async suspend(tx: EntityManager, actor: OfficerActor, id: string): Promise<string | null> {
    const officer = await this.officers.lock(tx, actor, 'access.grant', id);
    const proposed = await this.rows.proposedRoles(tx, id);
    return this.grants.apply(tx, actor, officer, suspension(proposed ?? officer.roles));
  }

  private async done(
    tx: EntityManager,
    actor: OfficerActor,
    act: string,
    officerId: string,
    detail: { readonly grant: string | null; readonly roles?: string | null },
  ): Promise<void> {
    const [{ agencyId }, thing] = [actor, `officer:${officerId}`];
    if (detail.grant === null) await this.reviews.add(tx, { agencyId, act, thing, officerId: actor.id });
    await this.record(tx, actor, act, thing, { ...detail });
  }

  private record(
    tx: EntityManager,
    actor: OfficerActor,
    action: string,
    thing: string,
    detail: Readonly<Record<string, string | number | null>>,
  ): Promise<void> {
    return this.audit.record(tx, { agencyId: actor.agencyId, actor: actorReference(actor), action, thing, detail });
  }
}

/** Of an officer who loses the last of them the audit says null. */
function rolesOf(roles: readonly Role[]): string | null {
  return roles.length > 0 ? roles.join(',') : null;
}
