import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Reviews } from '#access';
import { Audit } from '#audit';
import { Transactions } from '#platform';
import { AlertRepository } from './alert.repository.ts';
import type { SystemHoldReason } from './alert.types.ts';

/** In whose name, for the audit. */
const ACTORS = { gap: 'system:gap', restored: 'system:restore' } as const satisfies Record<SystemHoldReason, string>;

/**
 * What the system holds by itself, for it reaches fewer people: an officer is told by the list of acts to be reviewed
 * and decides. Endings pass; two officers resume it.
 */
@Injectable()
export class SystemHolds {
  private readonly logger = new Logger(SystemHolds.name);

  constructor(
    private readonly alerts: AlertRepository,
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Holds a live alert. Again is no fault.
   * @param still asked under the alert's lock whether the reason is still there
   * @returns whether it was held by this call; false when it is held already, not live, or there is no reason any more
   */
  async hold(
    alertId: string,
    reason: SystemHoldReason,
    still: (tx: EntityManager) => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<boolean> {
    const held = await this.transactions.run(async ({ tx }) => {
      const alert = await this.alerts.lock(tx, alertId);
      if (alert?.state !== 'live' || alert.heldAt || !(await still(tx))) return false;
      const { agencyId } = alert;
      const [act, thing] = ['alert.hold', `alert:${alertId}`];
      await this.alerts.hold(tx, alertId, null, reason);
      await this.reviews.add(tx, { agencyId, act, thing, officerId: null });
      await this.audit.record(tx, { agencyId, actor: ACTORS[reason], action: act, thing, detail: { reason } });
      return true;
    });
    if (held) this.logger.warn({ alertId, reason }, 'an alert is held; two officers resume it');
    return held;
  }
}
