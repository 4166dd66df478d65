import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { actorReference, Agencies, type OfficerActor, Officers, Reviews } from '#access';
import { Audit, type AuditRecord } from '#audit';
import { Transactions } from '#platform';
import { AlertRepository } from './alert.repository.ts';
import { ChangeRepository } from './change.repository.ts';

/** Whose hand is taken from everything. */
type Whose = { readonly officerId: string } | { readonly agencyId: string };

/**
 * Shuts out an officer or an agency that may have been taken over: sessions die, and what they are sending is held, in
 * one transaction. One officer does it alone, at once. Letting in again resumes nothing by itself.
 */
@Injectable()
export class Freezing {
  constructor(
    private readonly officers: Officers,
    private readonly agencies: Agencies,
    private readonly alerts: AlertRepository,
    private readonly changes: ChangeRepository,
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Holds every live alert still being sent that the officer wrote, verified or changed, and withdraws what they proposed.
   * @throws Refusal `officer_not_found`, `own_access`, `forbidden`
   */
  freezeOfficer(actor: OfficerActor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      // First of all: an act of theirs that is under way is waited for, and a later one finds them frozen.
      const { agencyId } = await this.officers.lock(tx, actor, 'officer.freeze', id);
      await this.officers.freeze(tx, id);
      const held = await this.hold(tx, actor, { officerId: id });
      await this.record(tx, actor, agencyId, 'officer.freeze', `officer:${id}`, held);
    });
  }

  /** @throws Refusal `officer_not_found`, `own_access`, `forbidden`, `step_up_required` */
  thawOfficer(actor: OfficerActor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { agencyId } = await this.officers.lock(tx, actor, 'officer.thaw', id);
      await this.officers.thaw(tx, id);
      const entry = { agencyId, actor: actorReference(actor), action: 'officer.thaw', thing: `officer:${id}` };
      await this.audit.record(tx, entry);
    });
  }

  /**
   * Shuts out the agency's officers and keys, and holds all that it is sending.
   * @throws Refusal `agency_not_found`, `forbidden`
   */
  freezeAgency(actor: OfficerActor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      await this.agencies.lock(tx, actor, 'agency.freeze', id);
      await this.agencies.freeze(tx, id);
      const held = await this.hold(tx, actor, { agencyId: id });
      await this.record(tx, actor, id, 'agency.freeze', `agency:${id}`, held);
    });
  }

  /** @throws Refusal `agency_not_found`, `forbidden`, `step_up_required` */
  thawAgency(actor: OfficerActor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      await this.agencies.lock(tx, actor, 'agency.thaw', id);
      await this.agencies.thaw(tx, id);
      const entry = { agencyId: id, actor: actorReference(actor), action: 'agency.thaw', thing: `agency:${id}` };
      await this.audit.record(tx, entry);
    });
  }

  /** @returns what to record of each hold, once nothing else is to be locked */
  private async hold(tx: EntityManager, actor: OfficerActor, whose: Whose): Promise<AuditRecord[]> {
    await this.changes.withdrawOf(tx, whose);
    const entries: AuditRecord[] = [];
    for (const id of await this.alerts.sending(tx, whose)) {
      const alert = await this.alerts.lock(tx, id);
      if (alert?.state !== 'live' || alert.heldAt) continue;
      await this.alerts.hold(tx, id, actor.id, 'frozen');
      const [action, thing] = ['alert.hold', `alert:${id}`];
      const { agencyId } = alert;
      entries.push({ agencyId, actor: actorReference(actor), action, thing, detail: { reason: 'frozen', ...whose } });
    }
    return entries;
  }

  private async record(
    tx: EntityManager,
    actor: OfficerActor,
    agencyId: string,
    act: string,
    thing: string,
    held: readonly AuditRecord[],
  ): Promise<void> {
    await this.reviews.add(tx, { agencyId, act, thing, officerId: actor.id });
    // In one order over agencies, so that two freezings do not wait for each other's chain.
    for (const entry of held.toSorted((a, b) => (a.agencyId < b.agencyId ? -1 : 1))) await this.audit.record(tx, entry);
    const detail = { held: held.length };
    await this.audit.record(tx, { agencyId, actor: actorReference(actor), action: act, thing, detail });
  }
}
