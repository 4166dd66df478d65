import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Reviews } from '#access';
import { Audit, type AuditRecord } from '#audit';
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
    still?: (tx: EntityManager) => Promise<boolean>,
  ): Promise<boolean> {
    const held = await this.transactions.run(async ({ tx }) => {
      const entry = await this.holdLocked(tx, alertId, reason, still);
      if (entry) await this.audit.record(tx, entry);
      return entry !== null;
    });
    if (held) this.logger.warn({ alertId, reason }, 'an alert is held; two officers resume it');
    return held;
  }

  /** Holds every live alert, in the caller's transaction. @returns how many were not held before */
  async holdLive(tx: EntityManager, reason: SystemHoldReason): Promise<number> {
    const entries: AuditRecord[] = [];
    for (const id of await this.alerts.unheld(tx)) {
      const entry = await this.holdLocked(tx, id, reason);
      if (entry) entries.push(entry);
    }
    // In one order over agencies, so that two of these do not wait for each other's chain.
    for (const entry of entries.toSorted((a, b) => (a.agencyId < b.agencyId ? -1 : 1)))
      await this.audit.record(tx, entry);
    return entries.length;
  }

  /** @returns what to record, once nothing else is to be locked; null when it is not to be held */
  private async holdLocked(
    tx: EntityManager,
    alertId: string,
    reason: SystemHoldReason,
    still: (tx: EntityManager) => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<AuditRecord | null> {
    const alert = await this.alerts.lock(tx, alertId);
    if (alert?.state !== 'live' || alert.heldAt || !(await still(tx))) return null;
    const { agencyId } = alert;
    const [action, thing] = ['alert.hold', `alert:${alertId}`];
    await this.alerts.hold(tx, alertId, null, reason);
    await this.reviews.add(tx, { agencyId, act: action, thing, officerId: null });
    return { agencyId, actor: ACTORS[reason], action, thing, detail: { reason } };
  }
}
