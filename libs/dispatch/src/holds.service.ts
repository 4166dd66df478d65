import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { actorReference, type OfficerActor, Reviews } from '#access';
import { Audit } from '#audit';
import { Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { ChangeRepository } from './change.repository.ts';
import type { HoldReason } from './alert.types.ts';
import { LiveAlerts } from './live-alerts.service.ts';
import { WaveRepository } from './wave.repository.ts';

/**
 * What one officer does to a live alert alone and at once, for it reaches fewer people. The page shows a held or stopped
 * alert as before: whoever took the child learns nothing from it.
 */
@Injectable()
export class Holds {
  constructor(
    private readonly liveAlerts: LiveAlerts,
    private readonly alerts: AlertRepository,
    private readonly changes: ChangeRepository,
    private readonly waves: WaveRepository,
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Sends nothing more until two officers resume it; an ending is told all the same. Batches under way stop within two
   * seconds. Again is no fault.
   * @throws Refusal whatever {@link LiveAlerts.live} refuses
   */
  hold(actor: OfficerActor, alertId: string, reason: HoldReason): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { alert } = await this.liveAlerts.live(tx, actor, 'alert.hold', alertId);
      if (alert.heldAt) return;
      await this.alerts.hold(tx, alertId, actor.id, reason);
      await this.review(tx, actor, alert, 'alert.hold', { reason });
    });
  }

  /**
   * Asks nobody more, for good: what was not sent never will be. The alert stays on its page, and those who were asked are
   * told what follows. Again is no fault.
   * @throws Refusal whatever {@link LiveAlerts.live} refuses
   */
  stop(actor: OfficerActor, alertId: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { alert } = await this.liveAlerts.live(tx, actor, 'alert.stop', alertId);
      if (alert.stoppedAt) return;
      await this.alerts.stop(tx, alertId, actor.id);
      await this.waves.bringUp(tx, alertId, null);
      await this.review(tx, actor, alert, 'alert.stop', {});
    });
  }

  /**
   * Fires no further ring of the ladder, and takes back the one it has proposed. Two officers may give it another. Again is no
   * fault.
   * @throws Refusal whatever {@link LiveAlerts.live} refuses
   */
  endLadder(actor: OfficerActor, alertId: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { alert } = await this.liveAlerts.live(tx, actor, 'alert.ladder_end', alertId);
      if (alert.ladderEndedAt) return;
      await this.changes.withdrawProposedRing(tx, alertId, actor.id);
      await this.alerts.endLadder(tx, alertId, actor.id);
      await this.review(tx, actor, alert, 'alert.ladder_end', {});
    });
  }

  private async review(
    tx: EntityManager,
    actor: OfficerActor,
    { agencyId, id }: Alert,
    act: string,
    detail: Readonly<Record<string, string>>,
  ): Promise<void> {
    const thing = `alert:${id}`;
    await this.reviews.add(tx, { agencyId, act, thing, officerId: actor.id });
    await this.audit.record(tx, { agencyId, actor: actorReference(actor), action: act, thing, detail });
  }
}
