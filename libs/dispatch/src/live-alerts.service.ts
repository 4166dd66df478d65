import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Action, can, type OfficerActor, Officers } from '#access';
import { type Case, Cases } from '#cases';
import { Clock, Refusal } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { Alerts } from './alert.service.ts';
import { alertNotFound, type DispatchRefusal } from './dispatch.errors.ts';

/** An alert for an act, held until the transaction ends, with its cases. */
export interface HeldAlert {
  readonly alert: Alert;
  readonly cases: readonly Case[];
}

/**
 * Where every act on an alert begins: the officer may do it, and the rows are held in the one order that all acts keep
 * (officer, cases, alert), so that none waits for another in a circle.
 */
@Injectable()
export class LiveAlerts {
  constructor(
    private readonly alerts: Alerts,
    private readonly rows: AlertRepository,
    private readonly cases: Cases,
    private readonly officers: Officers,
    private readonly clock: Clock,
  ) {}

  /**
   * An alert in whatever state.
   * @throws Refusal `alert_not_found` (also for another agency's), `session_invalid` when the officer was frozen meanwhile,
   *   and whatever {@link authorize} refuses
   */
  async any(tx: EntityManager, actor: OfficerActor, action: Action, alertId: string): Promise<HeldAlert> {
    await this.officers.demandStanding(tx, actor);
    const known = await this.rows.find(tx, alertId);
    if (!known) throw alertNotFound();
    const { agencyId } = known;
    if (can(actor, action, { agencyId, authorIds: [] }) === 'foreign_agency') throw alertNotFound();
    const cases: Case[] = [];
    for (const id of (await this.rows.caseIds(alertId, tx)).sort()) {
      cases.push(await this.cases.lock(tx, actor, action, id));
    }
    return { alert: await this.alerts.lock(tx, alertId), cases };
  }

  /** One that is live. @throws Refusal `alert_ended`, `alert_transition_illegal`, as {@link any} */
  async live(tx: EntityManager, actor: OfficerActor, action: Action, alertId: string): Promise<HeldAlert> {
    const held = await this.any(tx, actor, action, alertId);
    this.demandLive(held.alert);
    return held;
  }

  /** An alert is over when its time is over, whether or not a worker has ended it yet. */
  private demandLive({ state, expiresAt }: Alert): void {
    const over = expiresAt !== null && expiresAt <= this.clock.now();
    if (state === 'live' && !over) return;
    if (state === 'live' || state === 'ended') {
      throw new Refusal<DispatchRefusal>('alert_ended', 'The alert has ended. To ask again, submit a new one.');
    }
    throw new Refusal<DispatchRefusal>('alert_transition_illegal', `An alert that is ${state} cannot do this.`, {
      state,
    });
  }
}
