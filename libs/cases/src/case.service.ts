import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Action, type Actor, actorReference, Agencies, authorize } from '#access';
import { Audit } from '#audit';
import { Clock, LogContext, reencodePhoto, Refusal, Transactions } from '#platform';
import type { Case } from './case.entity.ts';
import { type CaseRefusal, caseNotFound } from './case.errors.ts';
import { type CaseFilter, CaseRepository } from './case.repository.ts';
import { newCaseReference } from './case-reference.ts';
import { type CaseAct, type CaseState, EDITABLE_STATES, nextCaseState } from './case-states.ts';
import type { CaseInput, Closing } from './case.types.ts';
import type { CasePhoto } from './case-photo.entity.ts';

/** Photos a case may hold. */
const MAX_PHOTOS = 8;

/** The life of a case: who may do what to it, and when. Alerts are dispatch's. */
@Injectable()
export class Cases {
  constructor(
    private readonly cases: CaseRepository,
    private readonly agencies: Agencies,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly log: LogContext,
    private readonly transactions: Transactions,
  ) {}

  /** Files a draft. @throws Refusal `last_seen_in_future`, `last_seen_interval_inverted`, `forbidden` */
  async create(tx: EntityManager, actor: Actor, id: string, input: CaseInput): Promise<Case> {
    authorize(actor, actor.kind === 'officer' ? 'case.create' : 'intake.post', { agencyId: actor.agencyId });
    await this.cases.insert(tx, {
      ...this.columns(input),
      id,
      reference: newCaseReference(),
      agencyId: actor.agencyId,
      state: 'draft',
      authorIds: actor.kind === 'officer' ? [actor.id] : [],
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
    return this.held(tx, id);
  }

  /** Replaces what was written of a draft or a returned case. @throws Refusal `case_not_editable`, as {@link create} */
  async replace(tx: EntityManager, actor: Actor, id: string, input: CaseInput): Promise<void> {
    const found = await this.lockEditable(tx, actor, id);
    await this.cases.update(tx, id, { ...this.columns(input), authorIds: withAuthor(found, actor) });
    await this.record(tx, actor, 'case.edit', found.agencyId, id);
  }

  /**
   * Loads a case for an act, holding its row until the transaction ends.
   * @throws Refusal `case_not_found` (also for another agency's), `forbidden`, `verifier_is_author`
   */
  async lock(tx: EntityManager, actor: Actor, action: Action, id: string): Promise<Case> {
    const found = await this.held(tx, id);
    authorize(actor, action, found, caseNotFound());
    return found;
  }

  /** A case for an officer's eyes; the read is audited. @throws as {@link lock} */
  read(actor: Actor, id: string): Promise<{ found: Case; photos: CasePhoto[] }> {
    return this.transactions.run(async ({ tx }) => {
      this.log.note({ caseId: id });
      const found = await this.cases.find(id, tx);
      if (!found) throw caseNotFound();
      authorize(actor, 'case.read', found, caseNotFound());
      await this.record(tx, actor, 'case.read', found.agencyId, id);
      return { found, photos: await this.cases.photos(id, tx) };
    });
  }

  /** The agency's cases, newest first; `next` is what to ask the next, older page with, and null on the last. */
  list(actor: Actor, filter: Omit<CaseFilter, 'agencyId'>): Promise<{ cases: Case[]; next: string | null }> {
    authorize(actor, 'case.read', { agencyId: actor.agencyId });
    return this.transactions.run(async ({ tx }) => {
      const found = await this.cases.list(tx, { ...filter, agencyId: actor.agencyId, limit: filter.limit + 1 });
      const cases = found.slice(0, filter.limit);
      const { agencyId } = actor;
      const entry = { agencyId, actor: actorReference(actor), action: 'case.list', thing: `agency:${agencyId}` };
      await this.audit.record(tx, { ...entry, detail: { cases: cases.length } });
      return { cases, next: found.length > filter.limit ? (cases.at(-1)?.id ?? null) : null };
    });
  }

  /** Moves a case that {@link lock} holds. @throws as {@link demandAct} */
  async move(tx: EntityManager, actor: Actor, held: Case, act: CaseAct, patch: Partial<Case> = {}): Promise<void> {
    await this.cases.update(tx, held.id, { ...patch, state: this.demandAct(held, act) });
    await this.record(tx, actor, `case.${act}`, held.agencyId, held.id);
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

  /** @throws Refusal `outside_jurisdiction`, `case_incomplete` */
  async demandSubmittable(tx: EntityManager, held: Case): Promise<void> {
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
    await this.cases.update(tx, held.id, { authorIds: withAuthor(held, actor) });
  }

  /**
   * Keeps a re-encoded copy of an uploaded photo; the same picture again is the same photo.
   * @throws Refusal `photo_not_an_image`, `photo_too_large`, `too_many_photos`, `case_not_editable`, as {@link lock}
   */
  async addPhoto(actor: Actor, caseId: string, upload: Buffer): Promise<CasePhoto> {
    await this.transactions.run(({ tx }) => this.lockEditable(tx, actor, caseId));
    const photo = await reencodePhoto(upload);
    return this.transactions.run(async ({ tx }) => {
      const held = await this.lockEditable(tx, actor, caseId);
      const known = await this.cases.photos(caseId, tx);
      const same = known.find((earlier) => earlier.sha256.equals(photo.sha256));
      if (same) return same;
      if (known.length >= MAX_PHOTOS) {
        throw new Refusal<CaseRefusal>('too_many_photos', `A case holds at most ${MAX_PHOTOS} photos.`);
      }
      const row = { id: randomUUID(), caseId, ...photo };
      await this.cases.addPhoto(tx, row);
      await this.cases.update(tx, caseId, { authorIds: withAuthor(held, actor) });
      await this.record(tx, actor, 'case.photo.add', held.agencyId, caseId);
      return { ...row, createdAt: this.clock.now() };
    });
  }

  /** The picture itself; the read is audited. @throws Refusal `photo_not_found`, as {@link read} */
  async photo(actor: Actor, caseId: string, photoId: string): Promise<CasePhoto> {
    await this.read(actor, caseId);
    const photo = await this.cases.photo(caseId, photoId);
    if (!photo) throw photoNotFound();
    return photo;
  }

  photos(tx: EntityManager, caseId: string): Promise<CasePhoto[]> {
    return this.cases.photos(caseId, tx);
  }

  /** The agency a case belongs to, or null when there is no such case. */
  async agencyOf(caseId: string): Promise<string | null> {
    return (await this.cases.find(caseId))?.agencyId ?? null;
  }

  private async held(tx: EntityManager, id: string): Promise<Case> {
    this.log.note({ caseId: id });
    const found = await this.cases.lock(tx, id);
    if (!found) throw caseNotFound();
    return found;
  }

  private async lockEditable(tx: EntityManager, actor: Actor, id: string): Promise<Case> {
    const held = await this.lock(tx, actor, 'case.edit', id);
    if (EDITABLE_STATES.includes(held.state)) return held;
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

function photoNotFound(): Refusal<CaseRefusal> {
  return new Refusal('photo_not_found', 'There is no such photo in this case.');
}
