import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Actor, actorReference } from '#access';
import { type AlertProposal } from './alert.types.ts';
import { Audit } from '#audit';
import { type Case, type CaseInput, Cases } from '#cases';
import { Clock, Idempotency, type IdempotentRequest, Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { Alerts } from './alert.service.ts';
import { type AlertState, nextAlertState } from './alert-states.ts';
import { Asking } from './asking.service.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import type { Message } from './message.entity.ts';
import { submissionVersion } from './submission-version.ts';
import type { Withheld } from './wave.repository.ts';

/** A case as submitted: the private case and the public alert proposed for it. */
export interface Submission {
  readonly case: CaseInput;
  readonly alert: AlertProposal | null;
}

export interface Released {
  readonly alertId: string;
  readonly slug: string;
  readonly targeted: number;
  readonly withheld: Withheld;
}

/** The way of a case to the public: written, submitted, decided by another officer, released. */
@Injectable()
export class Release {
  constructor(
    private readonly cases: Cases,
    private readonly alerts: Alerts,
    private readonly alertRows: AlertRepository,
    private readonly asking: Asking,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly idempotency: Idempotency,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Files a case: a draft of an officer's, or already submitted by another police system.
   * @param repeat makes a repeated request give the first one's case
   * @returns the case's id
   * @throws Refusal whatever {@link Cases}, {@link Alerts} and {@link submit} refuse, `idempotency_key_reused`
   */
  file(actor: Actor, submission: Submission, repeat?: Pick<IdempotentRequest, 'scope' | 'key'>): Promise<string> {
    return this.transactions.run(async ({ tx }) => {
      const id = randomUUID();
      const earlier = repeat && (await this.idempotency.claim(tx, { ...repeat, request: submission }, id));
      if (earlier) return earlier;
      const held = await this.cases.create(tx, actor, id, submission.case);
      await this.alerts.propose(tx, actor, held, submission.alert);
      if (actor.kind === 'agency_key') await this.submitHeld(tx, actor, held);
      return id;
    });
  }

  /** Replaces a draft or a returned case and its proposed alert. */
  rewrite(actor: Actor, id: string, submission: Submission): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      await this.cases.replace(tx, actor, id, submission.case);
      const held = await this.cases.lock(tx, actor, 'case.edit', id);
      await this.alerts.propose(tx, actor, held, submission.alert);
    });
  }

  /** Hands a case to the verifiers. @throws Refusal `case_transition_illegal`, `case_incomplete`, `outside_jurisdiction`, `alert_missing` */
  submit(actor: Actor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'case.submit', id);
      await this.submitHeld(tx, actor, held);
    });
  }

  private async submitHeld(tx: EntityManager, actor: Actor, held: Case): Promise<void> {
    this.cases.demandAct(held, 'submit');
    await this.demandAlert(tx, held);
    await this.cases.demandSubmittable(tx, held);
    await this.cases.addAuthor(tx, actor, held);
    await this.cases.move(tx, actor, held, 'submit', { submittedAt: this.clock.now(), decisionReason: null });
  }

  /** Sends a submitted case back for changes, or turns it down for good; the reason is for its authors. */
  decline(actor: Actor, id: string, act: 'return' | 'reject', reason: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'case.decide', id);
      await this.cases.move(tx, actor, held, act, { decisionReason: reason });
      if (act === 'return') return;
      const { alert } = await this.demandAlert(tx, held);
      await this.alertRows.update(tx, alert.id, { state: demandState(alert, 'withdraw') });
    });
  }

  /**
   * Verifies exactly the version the verifier saw and releases its alert, in one transaction: case active, alert live,
   * audience snapshotted, batches written, feeding promised.
   * @param version what {@link submissionVersion} gave for what the verifier read
   * @throws Refusal `verifier_is_author`, `version_changed`, `case_transition_illegal`, `outside_jurisdiction`
   */
  verify(actor: Actor, id: string, version: string): Promise<Released> {
    return this.transactions.run(async (unit) => {
      const { tx } = unit;
      const held = await this.cases.lock(tx, actor, 'case.decide', id);
      this.cases.demandAct(held, 'verify');
      const { alert, message } = await this.demandAlert(tx, held);
      await this.demandVersion(tx, held, alert, message, version);
      await this.cases.demandSubmittable(tx, held);
      demandState(alert, 'release');
      const { from, ...asked } = await this.asking.ring(unit, alert, message);
      await this.alertRows.release(tx, alert.id, from);
      await this.cases.move(tx, actor, held, 'verify', { verifierId: actor.id, verifiedAt: this.clock.now() });
      await this.audit.record(tx, {
        agencyId: alert.agencyId,
        actor: actorReference(actor),
        action: 'alert.release',
        thing: `alert:${alert.id}`,
        detail: { case: held.id, version, targeted: asked.targeted },
      });
      return { alertId: alert.id, slug: alert.slug, ...asked };
    });
  }

  private async demandAlert(tx: EntityManager, held: Case) {
    const proposed = await this.alerts.ofCase(held.id, tx);
    if (proposed) return proposed;
    throw new Refusal<DispatchRefusal>('alert_missing', 'The case has no proposed alert. Compose one, then submit.');
  }

  private async demandVersion(tx: EntityManager, held: Case, alert: Alert, message: Message, seen: string) {
    const photos = await this.cases.photos(tx, held.id);
    if (submissionVersion(held, photos, alert, message) === seen) return;
    throw new Refusal<DispatchRefusal>(
      'version_changed',
      'The case is not the version you name. Read it again, then decide.',
    );
  }
}

function demandState(alert: Alert, act: 'withdraw' | 'release'): AlertState {
  const state = nextAlertState(alert.state, act);
  if (state) return state;
  throw new Refusal<DispatchRefusal>('alert_transition_illegal', `An alert that is ${alert.state} cannot do this.`, {
    state: alert.state,
    act,
  });
}
