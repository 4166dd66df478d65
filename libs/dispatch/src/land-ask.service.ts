import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { actorReference, authorize, type OfficerActor, Officers, Reviews } from '#access';
import { Audit, type AuditRecord } from '#audit';
import { Cases } from '#cases';
import { Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { Alerts } from './alert.service.ts';
import { Asking } from './asking.service.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import { type LandAsk, LandAskRepository } from './land-ask.repository.ts';
import { landAskVersion } from './land-ask-version.ts';
import { type LandAct, type LandState, nextLandState } from './land-states.ts';

/** Why an agency does not want another's alert on its land. */
export const ASK_REFUSALS = ['not_needed', 'duplicate', 'operation', 'wrong_area', 'other'] as const;
export type AskRefusal = (typeof ASK_REFUSALS)[number];

/** Asks shown at once: as many alerts of others as could be live on one agency's land. */
const SHOWN = 100;

/** Alerts of other agencies that wait for this one's yes before they reach phones on its land. */
@Injectable()
export class LandAsks {
  constructor(
    private readonly asks: LandAskRepository,
    private readonly alerts: Alerts,
    private readonly alertRows: AlertRepository,
    private readonly asking: Asking,
    private readonly cases: Cases,
    private readonly officers: Officers,
    private readonly reviews: Reviews,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /**
   * What the officer's agency and those below it are asked, newest first: the public alert and never its case. What was
   * refused stays, for a refusal may be taken back.
   * @throws Refusal `forbidden`
   */
  async list(actor: OfficerActor): Promise<(LandAsk & { readonly seen: string })[]> {
    const { agencyId } = actor;
    authorize(actor, 'ask.read', { agencyId });
    return this.transactions.run(async ({ tx }) => {
      const asks = await this.asks.open(tx, agencyId, actor.belowIds, SHOWN);
      const thing = `agency:${agencyId}`;
      const detail = { asks: asks.length };
      await this.audit.record(tx, { agencyId, actor: actorReference(actor), action: 'ask.list', thing, detail });
      return asks.map((ask) => ({ ...ask, seen: landAskVersion(ask) }));
    });
  }

  /**
   * Lets an alert reach the phones on the agency's land, with its newest message: those that no wave of it holds yet. While
   * the alert is held they wait with all others.
   * @param seen the version of the ask that the officer read: see {@link landAskVersion}
   * @throws Refusal `ask_not_found` (also for another agency's), `ask_decided`, `version_changed`, `alert_ended`,
   *   `session_invalid` when the officer was frozen meanwhile, and what an act that reaches more people is refused
   */
  agree(actor: OfficerActor, id: string, seen: string): Promise<void> {
    return this.transactions.run(async (unit) => {
      const { tx } = unit;
      const { ask, alert } = await this.hold(tx, actor, 'agree', id);
      if (landAskVersion(ask) !== seen) {
        throw new Refusal<DispatchRefusal>(
          'version_changed',
          'The alert or its area is not the version you name. Read the ask again, then decide.',
        );
      }
      await this.asks.decide(tx, id, 'agreed', actor.id, null);
      const message = await this.alertRows.latestMessage(alert.id, tx);
      if (!message) throw new Error(`alert ${alert.id} has no message`);
      await this.asking.land(unit, alert, message, await this.asks.landOf(tx, id));
      await this.record(tx, actor, ask, 'ask.agree', { version: seen });
    });
  }

  /**
   * Keeps an alert off the agency's land; one officer suffices, and another reviews it.
   * @throws Refusal as {@link agree}
   */
  refuse(actor: OfficerActor, id: string, reason: AskRefusal): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { ask } = await this.hold(tx, actor, 'refuse', id);
      await this.asks.decide(tx, id, 'refused', actor.id, reason);
      const { agencyId, alertId } = ask;
      await this.reviews.add(tx, { agencyId, act: 'ask.refuse', thing: `alert:${alertId}`, officerId: actor.id });
      await this.record(tx, actor, ask, 'ask.refuse', { reason });
    });
  }

  /** Loads an ask for an act, holding its alert until the transaction ends: an ending or a wider area waits, or is seen. */
  private async hold(
    tx: EntityManager,
    actor: OfficerActor,
    act: LandAct,
    id: string,
  ): Promise<{ ask: LandAsk; alert: Alert }> {
    await this.officers.demandStanding(tx, actor);
    const known = await this.asks.find(tx, id);
    if (!known) throw askNotFound();
    authorize(actor, `ask.${act}`, await this.standing(tx, known), askNotFound());
    const alert = await this.alerts.lock(tx, known.alertId);
    const ask = await this.asks.find(tx, id);
    if (!ask?.live)
      throw new Refusal<DispatchRefusal>('alert_ended', 'The alert asks nobody any more. Nothing is left to decide.');
    if (!nextLandState(ask.state, act)) throw decided(ask.state);
    return { ask, alert };
  }

  /** The ask is its agency's; whoever wrote a part of the case or of its alert, or has a conflict with it, decides nothing. */
  private async standing(tx: EntityManager, { agencyId, alertId, messageAuthorId }: LandAsk) {
    const authorIds = await this.asks.changeAuthors(tx, alertId);
    if (messageAuthorId !== null) authorIds.push(messageAuthorId);
    const conflictedIds: string[] = [];
    for (const caseId of await this.alertRows.caseIds(alertId, tx)) {
      const standing = await this.cases.standing(caseId, tx);
      authorIds.push(...(standing?.authorIds ?? []));
      conflictedIds.push(...(standing?.conflictedIds ?? []));
    }
    return { agencyId, authorIds, conflictedIds };
  }

  /** Both agencies keep it; their chains are locked in one order, so that two decisions never wait for each other. */
  private async record(
    tx: EntityManager,
    actor: OfficerActor,
    ask: LandAsk,
    action: string,
    said: AuditRecord['detail'],
  ) {
    const entry = { actor: actorReference(actor), action, thing: `alert:${ask.alertId}` };
    const detail = { ask: ask.id, agency: ask.agencyId, ...said };
    for (const agencyId of [ask.agencyId, ask.byId].sort()) await this.audit.record(tx, { ...entry, agencyId, detail });
  }
}

/** For an ask that is not there and, word for word, for one of another agency. */
function askNotFound(): Refusal<DispatchRefusal> {
  return new Refusal('ask_not_found', 'There is no such ask.');
}

function decided(state: LandState): Refusal<DispatchRefusal> {
  return new Refusal('ask_decided', `The ask is ${state} already. Read the list again.`, { state });
}
