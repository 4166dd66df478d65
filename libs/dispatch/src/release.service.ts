import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Actor, actorReference, Officers } from '#access';
import { type AlertProposal } from './alert.types.ts';
import { Audit } from '#audit';
import { type Case, type CaseInput, CasePhotos, Cases } from '#cases';
import {
  Blur,
  Clock,
  Idempotency,
  type IdempotentRequest,
  Refusal,
  traced,
  Transactions,
  type UnitOfWork,
} from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertPhotoRepository } from './alert-photo.repository.ts';
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

interface Proposed {
  readonly alert: Alert;
  readonly message: Message;
}

export interface Released {
  readonly alertId: string;
  readonly slug: string;
  readonly targeted: number;
  readonly withheld: Withheld;
  /** On neighbours' land, rounded: waiting for their yes, or closed by their policy. */
  readonly waiting: number | null;
  readonly closed: number | null;
}

/** The way of a case to the public: written, submitted, decided by another officer, released. */
@Injectable()
export class Release {
  constructor(
    private readonly cases: Cases,
    private readonly alerts: Alerts,
    private readonly alertRows: AlertRepository,
    private readonly publicPhotos: AlertPhotoRepository,
    private readonly casePhotos: CasePhotos,
    private readonly asking: Asking,
    private readonly officers: Officers,
    private readonly audit: Audit,
    private readonly blur: Blur,
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

  /**
   * Hands a case to the verifiers.
   * @throws Refusal `case_transition_illegal`, `alert_missing`, `publicity_endangers` and whatever
   *   {@link Cases.demandSubmittable} refuses
   */
  submit(actor: Actor, id: string): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'case.submit', id);
      await this.submitHeld(tx, actor, held);
    });
  }

  private async submitHeld(tx: EntityManager, actor: Actor, held: Case): Promise<void> {
    this.cases.demandAct(held, 'submit');
    await this.demandPublic(tx, held);
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
      const proposed = await this.alerts.ofCase(held.id, tx);
      if (!proposed) return;
      const { alert } = proposed;
      await this.alertRows.update(tx, alert.id, { state: demandState(alert, 'withdraw') });
    });
  }

  /**
   * Verifies exactly the version the verifier saw and releases its alert, in one transaction: case active, alert live,
   * audience snapshotted, batches written, feeding promised.
   * @param version what {@link submissionVersion} gave for what the verifier read
   * @returns null for a case about which the public may be told nothing: it is active without an alert
   * @throws Refusal `version_changed`, `case_transition_illegal`, what {@link submit} refuses and what a decision is refused
   */
  verify(actor: Actor, id: string, version: string): Promise<Released | null> {
    return traced('release', {}, () => this.transactions.run((unit) => this.verifyIn(unit, actor, id, version)));
  }

  private async verifyIn(unit: UnitOfWork, actor: Actor, id: string, version: string): Promise<Released | null> {
    const { tx } = unit;
    await this.officers.demandStanding(tx, actor);
    const held = await this.cases.lock(tx, actor, 'case.decide', id);
    this.cases.demandAct(held, 'verify');
    const proposed = await this.demandPublic(tx, held);
    await this.demandVersion(tx, held, proposed, version);
    await this.cases.demandSubmittable(tx, held);
    const released = proposed && (await this.release(unit, held, proposed));
    await this.cases.move(tx, actor, held, 'verify', { verifierId: actor.id, verifiedAt: this.clock.now() });
    if (!released) return null;
    await this.audit.record(tx, {
      agencyId: held.agencyId,
      actor: actorReference(actor),
      action: 'alert.release',
      thing: `alert:${released.alertId}`,
      detail: {
        case: held.id,
        version,
        targeted: this.blur.count(`${released.alertId}|targeted`, released.targeted),
      },
    });
    return released;
  }

  private async release(unit: UnitOfWork, held: Case, { alert, message }: Proposed): Promise<Released> {
    const { tx } = unit;
    demandState(alert, 'release');
    if (alert.photoId !== null) {
      await this.publicPhotos.put(tx, alert.id, await this.casePhotos.open(held.id, alert.photoId, tx));
    }
    const { from, elsewhere, ...asked } = await this.asking.ring(unit, alert, message);
    await this.alertRows.release(tx, alert.id, from);
    const { waiting = 0, closed = 0 } = elsewhere;
    const told = (what: string, devices: number) => this.blur.count(`${alert.id}|${what}`, devices);
    const onOthersLand = { waiting: told('waiting', waiting), closed: told('closed', closed) };
    return { alertId: alert.id, slug: alert.slug, ...asked, ...onOthersLand };
  }

  /**
   * The proposed alert, as far as the harm check allows one: null where the public may be told nothing.
   * @throws Refusal `publicity_endangers`, `alert_missing`
   */
  private async demandPublic(tx: EntityManager, held: Case): Promise<Proposed | null> {
    const proposed = await this.alerts.ofCase(held.id, tx);
    if (held.publicity === 'none') {
      if (!proposed) return null;
      throw publicityEndangers('Publicity could endanger this child: take the alert out, then submit the case alone.');
    }
    if (!proposed) {
      throw new Refusal<DispatchRefusal>('alert_missing', 'The case has no proposed alert. Compose one, then submit.');
    }
    if (held.publicity === 'page_only' && proposed.alert.tier !== 'page_only') {
      throw publicityEndangers(
        'Publicity could endanger this child: only an alert of the tier page_only may tell of it.',
      );
    }
    return proposed;
  }

  private async demandVersion(tx: EntityManager, held: Case, proposed: Proposed | null, seen: string) {
    const photos = await this.cases.photos(tx, held.id);
    if (submissionVersion(held, photos, proposed?.alert ?? null, proposed?.message ?? null) === seen) return;
    throw new Refusal<DispatchRefusal>(
      'version_changed',
      'The case is not the version you name. Read it again, then decide.',
    );
  }
}

function publicityEndangers(detail: string): Refusal<DispatchRefusal> {
  return new Refusal('publicity_endangers', detail);
}

function demandState(alert: Alert, act: 'withdraw' | 'release'): AlertState {
  const state = nextAlertState(alert.state, act);
  if (state) return state;
  throw new Refusal<DispatchRefusal>('alert_transition_illegal', `An alert that is ${alert.state} cannot do this.`, {
    state: alert.state,
    act,
  });
}
