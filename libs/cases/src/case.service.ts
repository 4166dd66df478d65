import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AccessRefusal, type Action, type Actor, actorReference, Agencies, authorize } from '#access';
import { Audit } from '#audit';
import { Clock, LogContext, Refusal, sumOver, Transactions } from '#platform';
import type { Case, StoredCase } from './case.entity.ts';
import { type CaseRefusal, caseNotFound } from './case.errors.ts';
import { demandAnswers } from './case-demands.ts';
import { CaseReads } from './case-reads.service.ts';
import { type CaseFilter, CaseRepository, type KeptCases } from './case.repository.ts';
import { newCaseReference } from './case-reference.ts';
import { type CaseAct, type CaseState, EDITABLE_STATES, nextCaseState, PHOTO_STATES } from './case-states.ts';
import type { CaseInput, Closing } from './case.types.ts';
import type { CasePhoto } from './case-photo.entity.ts';
import { CasePhotoRepository } from './case-photo.repository.ts';

/** A case as an officer reads it. */
export interface CaseRead {
  readonly found: Case;
  readonly photos: CasePhoto[];
  /** When it is erased; null while that is not settled, for it is open. */
  readonly keptUntil: Date | null;
}

/** What may be known of a case without its key: whom it belongs to, and whether it still is. */
export type CaseStanding = Pick<
  StoredCase,
  'id' | 'agencyId' | 'authorIds' | 'conflictedIds' | 'erasedAt' | 'verifierId' | 'state'
>;

const CREATE = { officer: 'case.create', agency_key: 'intake.post' } as const satisfies Record<Actor['kind'], Action>;

/** The life of a case: who may do what to it, and when. Alerts are dispatch's. */
@Injectable()
export class Cases {
  constructor(
    private readonly cases: CaseRepository,
    private readonly photoRows: CasePhotoRepository,
    private readonly agencies: Agencies,
    private readonly audit: Audit,
    private readonly reads: CaseReads,
    private readonly clock: Clock,
    private readonly log: LogContext,
    private readonly transactions: Transactions,
  ) {}

  /** Files a draft. @throws Refusal `last_seen_in_future`, `last_seen_interval_inverted`, `forbidden` */
  async create(tx: EntityManager, actor: Actor, id: string, input: CaseInput): Promise<Case> {
    authorize(actor, CREATE[actor.kind], { agencyId: actor.agencyId });
    await this.cases.insert(tx, {
      ...this.columns(input),
      id,
      reference: newCaseReference(),
      agencyId: actor.agencyId,
      state: 'draft',
      authorIds: actor.kind === 'officer' ? [actor.id] : [],
      conflictedIds: [],
      intakeKeyId: actor.kind === 'officer' ? null : actor.id,
      verifierId: null,
      submittedAt: null,
      verifiedAt: null,
      closedAt: null,
      decisionReason: null,
      outcome: null,
      cause: null,
    });
    await this.record(tx, actor, 'case.create', actor.agencyId, id);
    return this.lock(tx, actor, CREATE[actor.kind], id);
  }

  /** Replaces what was written of a draft or a returned case. @throws Refusal `case_not_editable`, as {@link create} */
  async replace(tx: EntityManager, actor: Actor, id: string, input: CaseInput): Promise<void> {
    const found = await this.lockEditable(tx, actor, id);
    await this.cases.update(tx, found, { ...this.columns(input), authorIds: withAuthor(found, actor) });
    await this.reads.record(tx, actor, found, { action: 'case.edit' });
  }

  /**
   * Loads a case for an act, holding its row until the transaction ends.
   * @throws Refusal `case_not_found` (also for another agency's), `case_erased` and whatever {@link authorize} refuses
   */
  async lock(tx: EntityManager, actor: Actor, action: Action, id: string): Promise<Case> {
    return this.opened(tx, actor, action, id, await this.cases.lock(tx, id));
  }

  /** A case for an officer's eyes; the read is audited. @throws as {@link lock} */
  read(actor: Actor, id: string): Promise<CaseRead> {
    return this.transactions.run(async ({ tx }) => {
      const found = await this.opened(tx, actor, 'case.read', id, await this.cases.find(id, tx));
      const photos = await this.photoRows.list(id, tx);
      const keptUntil = await this.cases.keptUntil(tx, id);
      await this.reads.record(tx, actor, found, { action: 'case.read' });
      return { found, photos, keptUntil };
    });
  }

  /**
   * An agency's cases, one's own unless another is named, newest first; `next` is what to ask the next, older page with, and
   * null on the last.
   * @throws Refusal `forbidden`, also for an agency that is not there
   */
  list(
    actor: Actor,
    filter: Omit<CaseFilter, 'agencyId' | 'officerId'> & { readonly agencyId?: string | undefined },
  ): Promise<{ cases: Case[]; next: string | null }> {
    const { agencyId = actor.agencyId } = filter;
    authorize(actor, 'case.read', { agencyId });
    return this.transactions.run(async ({ tx }) => {
      const { id: officerId } = actor;
      const found = await this.cases.list(tx, { ...filter, agencyId, officerId, limit: filter.limit + 1 });
      const cases = found.slice(0, filter.limit);
      const entry = { agencyId, actor: actorReference(actor), action: 'case.list', thing: `agency:${agencyId}` };
      const shown = { first: cases[0]?.id ?? null, last: cases.at(-1)?.id ?? null };
      await this.audit.record(tx, { ...entry, detail: { cases: cases.length, ...shown } });
      return { cases, next: found.length > filter.limit ? (cases.at(-1)?.id ?? null) : null };
    });
  }

  /** Moves a case that {@link lock} holds. @throws as {@link demandAct} */
  async move(tx: EntityManager, actor: Actor, held: Case, act: CaseAct, patch: Partial<Case> = {}): Promise<void> {
    await this.cases.update(tx, held, { ...patch, state: this.demandAct(held, act) });
    if (act === 'submit') await this.reads.record(tx, actor, held, { action: 'case.submit' });
    else await this.record(tx, actor, `case.${act}`, held.agencyId, held.id);
  }

  /**
   * The state that `act` leads to.
   * @throws Refusal `case_transition_illegal`
   */
  demandAct(held: Case, act: CaseAct): CaseState {
    const state = nextCaseState(held.state, act);
    if (state) return state;
    throw new Refusal<CaseRefusal>('case_transition_illegal', `A case that is ${held.state} cannot do this.`, {
      state: held.state,
      act,
    });
  }

  /** Closes an active case with how it ended. */
  async close(tx: EntityManager, actor: Actor, held: Case, closing: Closing): Promise<void> {
    const { outcome, cause } = closing;
    await this.move(tx, actor, held, 'close', { outcome, cause, closedAt: this.clock.now() });
  }

  /** @throws Refusal `outside_jurisdiction`, `case_incomplete` and whatever {@link demandAnswers} refuses */
  async demandSubmittable(tx: EntityManager, held: Case): Promise<void> {
    demandAnswers(held);
    if (!held.lastSeenPoint) throw incomplete('lastSeen.point');
    if (!held.lastSeenUntil) throw incomplete('lastSeen.until');
    const [lon, lat] = held.lastSeenPoint.coordinates as [number, number];
    if (!(await this.agencies.inJurisdiction(held.agencyId, [lon, lat], tx))) {
      throw new Refusal<CaseRefusal>(
        'outside_jurisdiction',
        'The child was last seen outside your agency’s jurisdiction. Hand the case to the agency of that place.',
      );
    }
  }

  /** Adds the officer to those who wrote or submitted it. */
  async addAuthor(tx: EntityManager, actor: Actor, held: Case): Promise<void> {
    await this.cases.update(tx, held, { authorIds: withAuthor(held, actor) });
  }

  /** Oldest first, without the pictures. */
  photos(tx: EntityManager, caseId: string): Promise<CasePhoto[]> {
    return this.photoRows.list(caseId, tx);
  }

  /** Whom a case belongs to, for whoever authorises acts on what hangs on it; null when there is no such case. */
  standing(caseId: string, tx?: EntityManager): Promise<CaseStanding | null> {
    return this.cases.find(caseId, tx);
  }

  /**
   * Erases cases whose time is over, each in a transaction of its own: closed or rejected for as long as their agency keeps
   * cases, or written and not touched since. What the cases' keys sealed can never be read again; the counts stay.
   * @param limit how many at most
   * @returns how many
   */
  async eraseDue(limit: number): Promise<number> {
    return sumOver(await this.cases.due(limit), async (id) => ((await this.erase(id)) ? 1 : 0));
  }

  /**
   * Erases the cases whose key is no more: of a restored database, what was erased after its backup.
   * @returns how many
   */
  async eraseKeyless(tx: EntityManager): Promise<number> {
    const keyless = await this.cases.lockKeyless(tx);
    for (const { id, agencyId } of keyless) await this.eraseHeld(tx, id, agencyId, 'system:restore');
    return keyless.length;
  }

  /** How the agency stands with the erasure of its cases. */
  kept(tx: EntityManager, agencyId: string): Promise<KeptCases> {
    return this.cases.kept(tx, agencyId);
  }

  /** @returns whether it was still due, and nobody else was erasing it */
  private erase(id: string): Promise<boolean> {
    return this.transactions.run(async ({ tx }) => {
      const agencyId = await this.cases.lockDue(tx, id);
      if (agencyId === null) return false;
      await this.eraseHeld(tx, id, agencyId, 'system:retention');
      return true;
    });
  }

  private async eraseHeld(tx: EntityManager, id: string, agencyId: string, actor: string): Promise<void> {
    await this.photoRows.removeAll(tx, id);
    await this.cases.erase(tx, id);
    await this.audit.record(tx, { agencyId, actor, action: 'case.erase', thing: `case:${id}` });
  }

  private opened(tx: EntityManager, actor: Actor, action: Action, id: string, row: StoredCase | null): Promise<Case> {
    this.log.note({ caseId: id });
    if (!row) throw caseNotFound();
    authorize(actor, action, row, caseNotFound());
    return this.cases.open(tx, row);
  }

  /** As {@link lock}, of a case that may still be changed. @throws Refusal `case_not_editable` */
  lockEditable(tx: EntityManager, actor: Actor, id: string): Promise<Case> {
    return this.lockIn(EDITABLE_STATES, tx, actor, id);
  }

  /**
   * As {@link lockEditable}, of a case that may still get photos. Whoever adds one authors a part, so not the verifier of a
   * case that is active.
   * @throws Refusal `verifier_is_author`
   */
  async lockForPhotos(tx: EntityManager, actor: Actor, id: string): Promise<Case> {
    const held = await this.lockIn(PHOTO_STATES, tx, actor, id);
    if (held.verifierId !== actor.id) return held;
    throw new Refusal<AccessRefusal>(
      'verifier_is_author',
      'You verified this case, and authors verify nothing of it. Ask a colleague to add the photo.',
    );
  }

  private async lockIn(states: readonly CaseState[], tx: EntityManager, actor: Actor, id: string): Promise<Case> {
    const held = await this.lock(tx, actor, 'case.edit', id);
    if (states.includes(held.state)) return held;
    throw new Refusal<CaseRefusal>(
      'case_not_editable',
      `A case that is ${held.state} can no longer be changed. A verifier can return it for changes while it is submitted.`,
      { state: held.state },
    );
  }

  private columns(input: CaseInput) {
    const { from, until, place, point } = input.lastSeen;
    const now = this.clock.now();
    if ((from && from > now) || (until && until > now)) {
      throw new Refusal<CaseRefusal>('last_seen_in_future', 'A child cannot have been last seen in the future.');
    }
    if (from && until && from > until) {
      throw new Refusal<CaseRefusal>('last_seen_interval_inverted', 'lastSeen.from is after lastSeen.until.');
    }
    return {
      type: input.type,
      details: input.details,
      consent: input.consent,
      custodyOrderChecked: input.custodyOrderChecked,
      publicity: input.publicity,
      lastSeenFrom: from,
      lastSeenUntil: until,
      lastSeenPlace: place,
      lastSeenPoint: point && { type: 'Point' as const, coordinates: [...point] },
    };
  }

  private async record(tx: EntityManager, actor: Actor, action: string, agencyId: string, caseId: string) {
    await this.audit.record(tx, { agencyId, actor: actorReference(actor), action, thing: `case:${caseId}` });
  }
}

function withAuthor(held: Case, actor: Actor): string[] {
  return actor.kind === 'officer' ? [...new Set([...held.authorIds, actor.id])] : held.authorIds;
}

function incomplete(missing: string): Refusal<CaseRefusal> {
  return new Refusal('case_incomplete', `An alert needs ${missing}; the rest may stay unknown.`, { missing });
}
