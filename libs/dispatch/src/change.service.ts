import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { actorReference, authorize, type OfficerActor } from '#access';
import { Audit, type Scalar } from '#audit';
import { CaseKeys, CaseReads } from '#cases';
import { Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { areaOf } from './change-area.ts';
import { ChangeEffects } from './change-effects.service.ts';
import { changeVersion } from './change-version.ts';
import type { AlertChange } from './change.entity.ts';
import { ChangeRepository } from './change.repository.ts';
import type { Approved, ProposedChange } from './change.types.ts';
import { alertNotFound, type DispatchRefusal } from './dispatch.errors.ts';
import { type HeldAlert, LiveAlerts } from './live-alerts.service.ts';
import type { Message } from './message.entity.ts';
import { type AlertPreview, Preview } from './preview.service.ts';

/** A change as officers read it. */
export interface ReadChange {
  readonly change: AlertChange;
  /** What an approval must name; null once it is decided or the alert has ended. */
  readonly version: string | null;
  /** Why it was rejected. */
  readonly reason: string | null;
}

/**
 * Changes of a live alert that reach more people or change what they are told. One officer proposes; another, who wrote no
 * part of it nor of what it builds on, approves exactly the version they saw.
 */
@Injectable()
export class Changes {
  constructor(
    private readonly liveAlerts: LiveAlerts,
    private readonly alerts: AlertRepository,
    private readonly changes: ChangeRepository,
    private readonly effects: ChangeEffects,
    private readonly preview: Preview,
    private readonly caseKeys: CaseKeys,
    private readonly reads: CaseReads,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** @returns the change's id. @throws Refusal whatever {@link LiveAlerts.live} and {@link ChangeEffects.demand} refuse */
  propose(actor: OfficerActor, alertId: string, content: ProposedChange): Promise<string> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.liveAlerts.live(tx, actor, 'alert.change.propose', alertId);
      await this.effects.demand(tx, held, content);
      const id = randomUUID();
      const { kind } = content;
      const authorIds = [...new Set([actor.id, ...(await this.changes.authorsBefore(tx, alertId, kind))])];
      const open = { state: 'proposed', decidedBy: null, decidedAt: null, version: null, reason: null } as const;
      await this.changes.insert(tx, { id, alertId, kind, content, proposedBy: actor.id, authorIds, ...open });
      await this.record(tx, actor, held.alert, 'propose', { change: id, kind });
      return id;
    });
  }

  /** Newest first; the read is audited. @throws Refusal whatever {@link LiveAlerts.any} refuses */
  list(actor: OfficerActor, alertId: string): Promise<ReadChange[]> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.liveAlerts.any(tx, actor, 'case.read', alertId);
      const message = await this.demandMessage(tx, alertId);
      const found: ReadChange[] = [];
      for (const change of await this.changes.list(tx, alertId)) {
        const open = change.state === 'proposed' && held.alert.state === 'live';
        const version = open ? changeVersion(change, held.alert, message) : null;
        found.push({ change, version, reason: await this.openReason(tx, held, change) });
      }
      const [first] = held.cases;
      const detail = { changes: found.length };
      const waits = found.some(({ version }) => version !== null);
      const read = { action: 'alert.change.list', thing: `alert:${alertId}`, detail, waits };
      if (first) await this.reads.record(tx, actor, first, read);
      return found;
    });
  }

  /** How many wait for a decision. */
  pending(alertId: string): Promise<number> {
    return this.changes.pending(alertId);
  }

  /**
   * What approving a new area, a further ring or another text would do; limited, rounded and audited as every preview.
   * @throws Refusal `change_not_found`, `change_not_previewable`, whatever {@link Preview.ofCase} refuses
   */
  async look(actor: OfficerActor, alertId: string, changeId: string): Promise<AlertPreview> {
    const { caseId, content, alert } = await this.transactions.run(async ({ tx }) => {
      const held = await this.liveAlerts.live(tx, actor, 'alert.preview', alertId);
      const change = await this.demandOpen(tx, alertId, changeId);
      return { caseId: held.cases[0]?.id, content: change.content, alert: held.alert };
    });
    if (caseId === undefined) throw alertNotFound();
    switch (content.kind) {
      case 'area':
      case 'ring':
        return this.preview.ofCase(actor, caseId, { area: areaOf(content, alert) });
      case 'ladder':
        return this.preview.ofCase(actor, caseId, { ladder: content.ladder });
      case 'texts':
        return this.preview.ofCase(actor, caseId, { texts: content.texts });
      case 'renew':
      case 'resume':
      case 'photo':
        throw new Refusal<DispatchRefusal>(
          'change_not_previewable',
          'This change asks nobody and words nothing: decide it by what the list of changes shows.',
        );
    }
  }

  /** Takes a proposal back. @throws Refusal `change_not_found` (also for a colleague's), `change_decided` */
  withdraw(actor: OfficerActor, alertId: string, changeId: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { alert } = await this.liveAlerts.any(tx, actor, 'alert.change.propose', alertId);
      const change = await this.demandOpen(tx, alertId, changeId);
      if (change.proposedBy !== actor.id) throw changeNotFound();
      await this.changes.decide(tx, changeId, { state: 'withdrawn', decidedBy: actor.id });
      await this.record(tx, actor, alert, 'withdraw', { change: changeId });
    });
  }

  /** Turns a proposal down; the reason is for its author. @throws Refusal as {@link approve}, but for the version */
  reject(actor: OfficerActor, alertId: string, changeId: string, reason: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const { alert, cases } = await this.liveAlerts.any(tx, actor, 'alert.change.decide', alertId);
      const change = await this.demandDecidable(tx, actor, alert, changeId);
      const caseId = cases[0]?.id;
      const key = caseId === undefined ? null : await this.caseKeys.of(caseId, tx);
      const sealed = key?.seal(reasonPart(changeId), Buffer.from(reason)) ?? null;
      await this.changes.decide(tx, changeId, { state: 'rejected', decidedBy: actor.id, reason: sealed });
      await this.record(tx, actor, alert, 'reject', { change: changeId, kind: change.kind });
    });
  }

  /**
   * Approves exactly the version that the officer saw, and does it, in one transaction.
   * @param version what {@link list} gave
   * @throws Refusal `change_not_found`, `change_decided`, `verifier_is_author`, `step_up_required`, `version_changed`, and
   *   whatever {@link LiveAlerts.live} and {@link ChangeEffects.demand} refuse
   */
  approve(actor: OfficerActor, alertId: string, changeId: string, version: string): Promise<Approved> {
    return this.transactions.run(async (unit) => {
      const { tx } = unit;
      const held = await this.liveAlerts.live(tx, actor, 'alert.change.decide', alertId);
      const { alert } = held;
      const change = await this.demandDecidable(tx, actor, alert, changeId);
      const message = await this.demandMessage(tx, alertId);
      if (changeVersion(change, alert, message) !== version) {
        throw new Refusal<DispatchRefusal>(
          'version_changed',
          'The alert or the change is not the version you name. Read them again, then decide.',
        );
      }
      await this.effects.demand(tx, held, change.content);
      const done = await this.effects.apply(unit, held, message, change);
      await this.changes.decide(tx, changeId, { state: 'approved', decidedBy: actor.id, version });
      const { kind } = change;
      await this.record(tx, actor, alert, 'approve', { change: changeId, kind, version });
      return done;
    });
  }

  private async demandDecidable(tx: EntityManager, actor: OfficerActor, alert: Alert, changeId: string) {
    const change = await this.demandOpen(tx, alert.id, changeId);
    // What was approved after the proposal is what it builds on now.
    const authorIds = [...change.authorIds, ...(await this.changes.authorsBefore(tx, alert.id, change.kind))];
    authorize(actor, 'alert.change.decide', { agencyId: alert.agencyId, authorIds }, alertNotFound());
    return change;
  }

  /** Whoever decides holds the alert, so nobody else decides meanwhile. */
  private async demandOpen(tx: EntityManager, alertId: string, changeId: string): Promise<AlertChange> {
    const change = await this.changes.find(tx, alertId, changeId);
    if (!change) throw changeNotFound();
    if (change.state === 'proposed') return change;
    throw new Refusal<DispatchRefusal>('change_decided', `The change is ${change.state} already.`, {
      state: change.state,
    });
  }

  private async demandMessage(tx: EntityManager, alertId: string): Promise<Message> {
    const message = await this.alerts.latestMessage(alertId, tx);
    if (!message) throw new Error(`alert ${alertId} has no message`);
    return message;
  }

  private async openReason(tx: EntityManager, { cases }: HeldAlert, change: AlertChange): Promise<string | null> {
    const caseId = cases[0]?.id;
    if (!change.reason || caseId === undefined) return null;
    const key = await this.caseKeys.of(caseId, tx);
    return key.open(reasonPart(change.id), change.reason).toString();
  }

  private async record(
    tx: EntityManager,
    actor: OfficerActor,
    { id, agencyId }: Alert,
    act: string,
    detail: Readonly<Record<string, Scalar>>,
  ): Promise<void> {
    const [action, thing] = [`alert.change.${act}`, `alert:${id}`];
    await this.audit.record(tx, { agencyId, actor: actorReference(actor), action, thing, detail });
  }
}

const reasonPart = (changeId: string) => `change:${changeId}`;

function changeNotFound(): Refusal<DispatchRefusal> {
  return new Refusal('change_not_found', 'There is no such change of this alert.');
}
