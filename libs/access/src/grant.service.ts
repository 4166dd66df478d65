import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference, type OfficerActor } from './actor.ts';
import { authorize } from './can.ts';
import { GrantRepository, type OpenGrant } from './grant.repository.ts';
import { Officer } from './officer.entity.ts';
import { InvitationRepository } from './invitation.repository.ts';
import { Officers } from './officer.service.ts';
import { OfficerRepository } from './officer.repository.ts';
import { Reviews } from './review.service.ts';
import type { RoleChange } from './roles.ts';

/**
 * Roles that take two people: one proposes, another confirms who knows the officer. Otherwise a lone administrator could
 * make up two officers, and wake a city with them.
 */
@Injectable()
export class Grants {
  constructor(
    private readonly grants: GrantRepository,
    private readonly officers: OfficerRepository,
    private readonly invitations: InvitationRepository,
    private readonly staff: Officers,
    private readonly reviews: Reviews,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Applies with `tx` what needs no second person and proposes the rest, in the place of an earlier proposal. Authority and
   * the audit are the caller's, which holds the officer's row.
   * @returns the proposal's id, or null when there is nothing to confirm.
   */
  async apply(
    tx: EntityManager,
    proposer: OfficerActor,
    officer: Pick<Officer, 'id' | 'agencyId'>,
    { now, proposed }: RoleChange,
  ): Promise<string | null> {
    const { id: officerId, agencyId } = officer;
    await this.officers.setRoles(tx, officerId, now);
    await this.grants.overtake(tx, officerId);
    if (!proposed) return null;
    const id = randomUUID();
    await this.grants.insert(tx, { id, officerId, agencyId, roles: [...proposed], proposedBy: proposer.id });
    return id;
  }

  /** Open proposals that the actor could confirm, of their agency and those below. @throws Refusal `forbidden` */
  list(actor: OfficerActor): Promise<OpenGrant[]> {
    authorize(actor, 'access.read_grants', { agencyId: actor.agencyId });
    return this.transactions.run(async ({ tx }) => {
      const open = await this.grants.open(tx, [actor.agencyId, ...actor.belowIds]);
      const { agencyId } = actor;
      const entry = { agencyId, actor: actorReference(actor), action: 'grant.list', thing: `agency:${agencyId}` };
      await this.audit.record(tx, { ...entry, detail: { grants: open.length } });
      return open;
    });
  }

  /**
   * Gives the officer the proposed roles; they hold from the next request on.
   * @throws Refusal `grant_not_found` (also for one out of reach), `forbidden`, `own_access`, `verifier_is_author` (the
   *   proposer's own), `step_up_required`, `grant_settled`, `invitation_open`, `session_invalid`
   */
  confirm(actor: OfficerActor, id: string): Promise<void> {
    return this.settle(actor, id, 'confirmed');
  }

  /** Turns a proposal down, to be reviewed; the officer keeps what they hold. @throws as {@link confirm} */
  refuse(actor: OfficerActor, id: string): Promise<void> {
    return this.settle(actor, id, 'refused');
  }

  private settle(actor: OfficerActor, id: string, state: 'confirmed' | 'refused'): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      await this.staff.demandStanding(tx, actor);
      const grant = await this.grants.find(tx, id);
      if (!grant) throw notFound();
      const { agencyId, officerId, proposedBy, roles } = grant;
      const action = state === 'confirmed' ? 'access.confirm' : 'access.refuse';
      authorize(actor, action, { agencyId, officerId, authorIds: [proposedBy] }, notFound());
      await this.officers.hold(tx, officerId);
      if (!(await this.grants.settle(tx, id, state, actor.id))) {
        throw new Refusal<AccessRefusal>('grant_settled', 'The proposal was settled or replaced already.');
      }
      if (state === 'confirmed' && (await this.invitations.isOpen(tx, officerId))) throw invitationOpen();
      const [act, thing] = [`grant.${state}`, `officer:${officerId}`];
      if (state === 'confirmed') await this.officers.setRoles(tx, officerId, roles);
      else await this.reviews.add(tx, { agencyId, act, thing, officerId: actor.id });
      const entry = { agencyId, actor: actorReference(actor), action: act, thing };
      await this.audit.record(tx, { ...entry, detail: { grant: id, roles: roles.join(',') } });
    });
  }
}

/** Whoever holds it would come in with roles that were confirmed for the officer. */
function invitationOpen(): Refusal<AccessRefusal> {
  const detail = 'The officer’s invitation is open. Confirm once they have set their password, and have told you so.';
  return new Refusal('invitation_open', detail);
}

function notFound(): Refusal<AccessRefusal> {
  return new Refusal('grant_not_found', 'There is no such proposal.');
}
