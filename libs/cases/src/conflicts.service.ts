import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AccessRefusal, actorReference, type OfficerActor, Officers, Reviews } from '#access';
import { Audit } from '#audit';
import { isRefusal, Refusal, Transactions } from '#platform';
import type { Case } from './case.entity.ts';
import { CaseRepository } from './case.repository.ts';
import { Cases } from './case.service.ts';

/**
 * Declared conflicts of interest: whoever has one in a case can do nothing more with it, not even read it, and cannot take it
 * back. Naming a colleague is listed for review, for it could be used to clear the room, and so is a conflict of whoever
 * verified the case: what they released still stands.
 */
@Injectable()
export class Conflicts {
  constructor(
    private readonly cases: Cases,
    private readonly rows: CaseRepository,
    private readonly officers: Officers,
    private readonly reviews: Reviews,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** The actor declares their own. @throws as {@link Cases.lock} */
  declare(actor: OfficerActor, caseId: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'case.conflict', caseId);
      if (held.verifierId === actor.id) await this.review(tx, actor, held);
      await this.bar(tx, actor, held, actor.id);
    });
  }

  /**
   * A verifier names a colleague's; again is no fault.
   * @throws Refusal `officer_not_found` for one who is neither of the case's agency nor of the verifier's; as {@link Cases.lock}
   */
  async name(actor: OfficerActor, caseId: string, officerId: string): Promise<void> {
    const agencyId = await this.agencyOf(officerId);
    await this.transactions.run(async ({ tx }) => {
      // The case comes first: to whoever has no part in it, an officer who exists must look like one who does not.
      const held = await this.cases.lock(tx, actor, 'case.conflict.name', caseId);
      if (agencyId !== held.agencyId && agencyId !== actor.agencyId) throw officerNotFound();
      if (held.conflictedIds.includes(officerId)) return;
      await this.review(tx, actor, held);
      await this.bar(tx, actor, held, officerId);
    });
  }

  /** Null for an officer who does not exist. */
  private async agencyOf(officerId: string): Promise<string | null> {
    try {
      return (await this.officers.profileOf(officerId)).agency.id;
    } catch (error) {
      if (isRefusal(error)) return null;
      throw error;
    }
  }

  private async review(tx: EntityManager, { id: officerId }: OfficerActor, { agencyId, id }: Case): Promise<void> {
    await this.reviews.add(tx, { agencyId, act: 'case.conflict', thing: `case:${id}`, officerId });
  }

  private async bar(tx: EntityManager, actor: OfficerActor, held: Case, officerId: string): Promise<void> {
    await this.rows.update(tx, held, { conflictedIds: [...held.conflictedIds, officerId] });
    const entry = { agencyId: held.agencyId, actor: actorReference(actor), action: 'case.conflict' };
    await this.audit.record(tx, { ...entry, thing: `case:${held.id}`, detail: { officer: officerId } });
  }
}

/** Word for word as for an officer who does not exist. */
function officerNotFound(): Refusal<AccessRefusal> {
  return new Refusal('officer_not_found', 'There is no such officer.');
}
