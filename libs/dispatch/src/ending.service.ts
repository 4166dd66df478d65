import { Injectable, Logger } from '@nestjs/common';
import { type Actor, actorReference, authorize, type OfficerActor, Officers, Reviews } from '#access';
import { Audit } from '#audit';
import { Cases, type Closing } from '#cases';
import { Refusal, traced, Transactions, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertWorkMetrics } from './alert-work.metrics.ts';
import { AlertRepository } from './alert.repository.ts';
import { Alerts } from './alert.service.ts';
import { nextAlertState } from './alert-states.ts';
import { alertNotFound, type DispatchRefusal } from './dispatch.errors.ts';
import { Telling } from './telling.service.ts';
import { endingTexts, type PublicEnding } from './texts.ts';

/** How an officer ends an alert. The outcome is private; the ending is what the public is told. */
export interface EndRequest extends Closing {
  readonly kind: 'found' | 'cancel';
  readonly ending: PublicEnding;
  /** 'The child is safe' may be said only after the family was told. */
  readonly familyTold: boolean;
}

/** Expired alerts ended in one sweep. */
const OVERDUE_PER_SWEEP = 50;

/** The end of an alert: sending stops, exactly those who were asked are told, the public photo and name go. */
@Injectable()
export class Ending {
  private readonly logger = new Logger(Ending.name);

  constructor(
    private readonly alerts: Alerts,
    private readonly alertRows: AlertRepository,
    private readonly telling: Telling,
    private readonly cases: Cases,
    private readonly officers: Officers,
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly metrics: AlertWorkMetrics,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Ends a live alert and closes its cases; one officer suffices, for it reaches fewer people, and another reviews it.
   * @throws Refusal `alert_not_found` (also for another agency's), `alert_ended`, `ending_untrue`, `family_not_told`
   */
  end(actor: OfficerActor, alertId: string, request: EndRequest): Promise<void> {
    if (request.ending === 'safe' && (request.kind !== 'found' || request.outcome !== 'safe')) {
      throw new Refusal<DispatchRefusal>(
        'ending_untrue',
        'The public may be told that the child is safe only when a child was found safe. End with ‘ended’.',
      );
    }
    if (request.ending === 'safe' && !request.familyTold) {
      throw new Refusal<DispatchRefusal>(
        'family_not_told',
        'The public may be told that the child is safe only after the family was. Tell them, or end without saying so.',
      );
    }
    return this.transactions.run(async (unit) => {
      const { tx } = unit;
      await this.officers.demandStanding(tx, actor);
      const known = await this.alertRows.find(tx, alertId);
      if (!known) throw alertNotFound();
      authorize(actor, 'alert.end', known, alertNotFound());
      // Cases before the alert, as a release locks them, so that the two never wait for each other.
      const caseIds = (await this.alertRows.caseIds(alertId, tx)).sort();
      const held = [];
      for (const id of caseIds) held.push(await this.cases.lock(tx, actor, 'case.close', id));
      const alert = await this.alerts.lock(tx, alertId);
      const reviewed = { agencyId: alert.agencyId, act: `alert.${request.kind}`, thing: `alert:${alertId}` };
      await this.reviews.add(tx, { ...reviewed, officerId: actor.id });
      await this.endHeld(unit, alert, request.kind, request.ending, actor);
      for (const one of held) await this.cases.close(tx, actor, one, request);
    });
  }

  /**
   * Closes an active case whose alert has ended by itself, to be reviewed.
   * @throws Refusal `case_not_found`, `alert_live`, `case_transition_illegal`
   */
  closeCase(actor: OfficerActor, caseId: string, closing: Closing): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'case.close', caseId);
      const alert = await this.alertRows.ofCase(caseId, tx);
      if (alert?.state === 'live') {
        throw new Refusal<DispatchRefusal>(
          'alert_live',
          'The alert is still live. End it, and the case closes with it.',
        );
      }
      const reviewed = { agencyId: held.agencyId, act: 'case.close', thing: `case:${caseId}` };
      await this.reviews.add(tx, { ...reviewed, officerId: actor.id });
      await this.cases.close(tx, actor, held, closing);
    });
  }

  /** Ends alerts whose time is over. Their cases stay active: the child is still missing. @returns how many */
  async expireOverdue(): Promise<number> {
    const overdue = await this.alertRows.overdue(OVERDUE_PER_SWEEP);
    for (const alertId of overdue) await this.expire(alertId);
    return overdue.length;
  }

  /** One that cannot be ended must not keep the others alive. */
  private async expire(alertId: string): Promise<void> {
    try {
      const expire = async (unit: UnitOfWork) => {
        const alert = await this.alertRows.lockOverdue(unit.tx, alertId);
        if (!alert) return;
        await this.endHeld(unit, alert, 'expire', 'ended', null);
        this.logger.log({ alertId }, 'alert expires');
      };
      await traced('expire', { alertId }, () => this.transactions.run(expire));
    } catch (error) {
      this.metrics.failed('expiry');
      this.logger.error({ err: error as Error, alertId }, 'an alert could not be expired; the next sweep tries again');
    }
  }

  private async endHeld(
    unit: UnitOfWork,
    alert: Alert,
    kind: 'found' | 'cancel' | 'expire',
    ending: PublicEnding,
    actor: Actor | null,
  ): Promise<void> {
    const { tx } = unit;
    if (!nextAlertState(alert.state, 'end')) throw notLive(alert);
    await this.alertRows.end(tx, alert.id);
    const authorId = actor?.kind === 'officer' ? actor.id : null;
    const texts = endingTexts(kind, ending);
    await this.telling.tell(unit, alert, { kind, texts, notice: null, authorId, passesHold: true });
    await this.audit.record(tx, {
      agencyId: alert.agencyId,
      actor: actor ? actorReference(actor) : 'system:expiry',
      action: `alert.${kind}`,
      thing: `alert:${alert.id}`,
    });
  }
}

function notLive(alert: Alert): Refusal<DispatchRefusal> {
  if (alert.state === 'ended') return new Refusal('alert_ended', 'The alert has ended already.');
  return new Refusal('alert_transition_illegal', `An alert that is ${alert.state} cannot be ended.`, {
    state: alert.state,
    act: 'end',
  });
}
