import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '#audit';
import type { Area } from '#geo';
import { Blur, Refusal, traced, Transactions, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertWorkMetrics } from './alert-work.metrics.ts';
import { AlertRepository } from './alert.repository.ts';
import { areaOf } from './change-area.ts';
import { ChangeRepository } from './change.repository.ts';
import { Asking } from './asking.service.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import { ladderFault, ladderStanding, ringDue } from './ladder.ts';
import { LadderRepository } from './ladder.repository.ts';
import type { Ladder, LadderRing, LadderRingStanding } from './ladder.types.ts';

/** In whose name rings are fired: whoever approved the ladder has approved each of them. */
const ACTOR = 'system:ladder';

/** The rings of live alerts after their first: each fires by itself at its time, or is proposed then. */
@Injectable()
export class Ladders {
  private readonly logger = new Logger(Ladders.name);

  constructor(
    private readonly ladders: LadderRepository,
    private readonly alerts: AlertRepository,
    private readonly changes: ChangeRepository,
    private readonly asking: Asking,
    private readonly audit: Audit,
    private readonly blur: Blur,
    private readonly metrics: AlertWorkMetrics,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Climbs every alert's ladder by at most one ring. Any number of workers may do so at once: the alert's row decides who
   * fires. @returns how many were fired or proposed
   */
  async climb(): Promise<number> {
    let climbed = 0;
    for (const alert of await this.ladders.climbing()) if (await this.tryClimb(alert)) climbed++;
    return climbed;
  }

  /** The rings as they stand. */
  async standing(alert: Alert, tx?: EntityManager): Promise<LadderRingStanding[]> {
    const { steps, now } = await this.ladders.steps(alert.id, tx);
    return ladderStanding(alert, steps, now);
  }

  /**
   * @param alert as it is to be released, or as it stands
   * @throws Refusal `ladder_asks_nobody`, `ladder_not_growing`, `ladder_too_late`
   */
  async demand(
    tx: EntityManager,
    ladder: Ladder,
    alert: Pick<Alert, 'tier' | 'area' | 'hours'> & Partial<Pick<Alert, 'id' | 'releasedAt' | 'expiresAt'>>,
  ): Promise<void> {
    if (ladder.rings.length === 0) return;
    if (alert.tier === 'page_only') {
      throw new Refusal<DispatchRefusal>('ladder_asks_nobody', 'A page-only alert asks nobody: leave the ladder out.');
    }
    const { id, area, releasedAt, expiresAt } = alert;
    const { steps } = id ? await this.ladders.steps(id, tx) : { steps: [] };
    const minutes = releasedAt && expiresAt ? (expiresAt.getTime() - releasedAt.getTime()) / 60_000 : alert.hours * 60;
    const fault = ladderFault(ladder, { area, afterMinutes: steps.at(-1)?.afterMinutes ?? 0 }, minutes);
    if (fault === 'not_growing') {
      throw new Refusal<DispatchRefusal>(
        'ladder_not_growing',
        'Each ring must be wider and later than the one before; the first is wider than the alert’s area and later than every ring that has had its turn.',
      );
    }
    if (fault === 'too_late') {
      throw new Refusal<DispatchRefusal>('ladder_too_late', 'Every ring must be due before the alert expires.', {
        minutes: Math.floor(minutes),
      });
    }
  }

  /** One that cannot be climbed must not keep the others down. */
  private async tryClimb(alert: Alert): Promise<boolean> {
    try {
      const { steps, now } = await this.ladders.steps(alert.id);
      if (!ringDue(alert, steps, now)) return false;
      const climb = () => this.transactions.run((unit) => this.climbHeld(unit, alert.id));
      return await traced('ladder.climb', { alertId: alert.id }, climb);
    } catch (error) {
      this.metrics.failed('ladder');
      this.logger.error(
        { err: error as Error, alertId: alert.id },
        'a ring could not be fired; the next sweep tries again',
      );
      return false;
    }
  }

  private async climbHeld(unit: UnitOfWork, alertId: string): Promise<boolean> {
    const { tx } = unit;
    const alert = await this.alerts.lock(tx, alertId);
    if (!alert || alert.heldAt) return false;
    // Read under the lock: another worker may have fired meanwhile.
    const { steps, now } = await this.ladders.steps(alertId, tx);
    const due = ringDue(alert, steps, now);
    if (!due) return false;
    if (alert.ladder.confirm) await this.propose(tx, alert, due.ring);
    else await this.fire(unit, alert, due.ring);
    this.metrics.ringLate(now.getTime() - due.dueAt.getTime());
    return true;
  }

  private async fire(unit: UnitOfWork, alert: Alert, ring: LadderRing): Promise<void> {
    const { tx } = unit;
    const area: Area = areaOf({ kind: 'ring', radiusM: ring.radiusM }, alert);
    const message = await this.alerts.latestMessage(alert.id, tx);
    if (!message) throw new Error(`alert ${alert.id} has no message`);
    await this.ladders.add(tx, alert.id, ring, null);
    await this.alerts.update(tx, alert.id, { area });
    const { targeted } = await this.asking.ring(unit, { ...alert, area }, message);
    const told = this.blur.count(`${alert.id}|ring ${ring.radiusM}`, targeted);
    await this.record(tx, alert, 'alert.ring', { ...ring, targeted: told });
    this.logger.log({ alertId: alert.id, radiusM: ring.radiusM }, 'ring fired');
  }

  private async propose(tx: EntityManager, alert: Alert, ring: LadderRing): Promise<void> {
    const id = randomUUID();
    const content = { kind: 'ring' as const, radiusM: ring.radiusM };
    const open = { state: 'proposed', decidedBy: null, decidedAt: null, version: null, reason: null } as const;
    const change = { id, alertId: alert.id, kind: content.kind, content, proposedBy: null, authorIds: [], ...open };
    await this.changes.insert(tx, change);
    await this.ladders.add(tx, alert.id, ring, id);
    await this.record(tx, alert, 'alert.change.propose', { change: id, ...content });
  }

  private async record(
    tx: EntityManager,
    { id, agencyId }: Alert,
    action: string,
    detail: Readonly<Record<string, string | number | null>>,
  ): Promise<void> {
    await this.audit.record(tx, { agencyId, actor: ACTOR, action, thing: `alert:${id}`, detail });
  }
}
