import { createHash, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Action, actorReference, authorize, type OfficerActor } from '#access';
import { Audit } from '#audit';
import { caseErased, caseNotFound, CaseReads, Cases, type CaseStanding } from '#cases';
import { Clock, Idempotency, type IdempotentRequest, reencodePhoto, Refusal, Transactions } from '#platform';
import { canBecome } from './sighting-states.ts';
import type { SightingPage, SightingReceipt, SightingReport, SightingSource, Triage } from './sighting.ts';
import type { SightingRefusal } from './sightings.errors.ts';
import { SightingsRepository } from './sightings.repository.ts';

/** A phone's clock may be ahead of ours by this much, in milliseconds; what it observed then is observed now. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
export const SIGHTINGS_PAGE = 50;
const FORGOTTEN_AT_ONCE = 1000;

/** Tips, from the public and by phone, and what officers make of them. */
@Injectable()
export class Sightings {
  constructor(
    private readonly transactions: Transactions,
    private readonly sightings: SightingsRepository,
    private readonly cases: Cases,
    private readonly idempotency: Idempotency,
    private readonly audit: Audit,
    private readonly reads: CaseReads,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes a tip from the public.
   * @param repeat when given, what was sent, the photo apart: the same again gives no second tip
   * @throws Refusal `observed_in_future`, `photo_not_an_image`, `photo_too_large`, `idempotency_key_reused`
   */
  async report(
    caseId: string,
    source: Exclude<SightingSource, 'phone'>,
    report: SightingReport,
    repeat?: IdempotentRequest,
  ): Promise<SightingReceipt> {
    const encoded = await this.prepare(report);
    return this.transactions.run(({ tx }) =>
      this.once(tx, { caseId, report }, repeat, (id) =>
        this.sightings.insert(tx, { ...encoded, id, caseId, source, takenBy: null }),
      ),
    );
  }

  /**
   * Takes down a tip that came by phone.
   * @throws Refusal `case_not_found`, `forbidden` and what {@link report} throws
   */
  async take(
    actor: OfficerActor,
    caseId: string,
    report: SightingReport,
    repeat?: IdempotentRequest,
  ): Promise<SightingReceipt> {
    const { agencyId } = await this.demandCase(actor, 'sighting.take', caseId, caseNotFound());
    const encoded = await this.prepare(report);
    return this.transactions.run(({ tx }) =>
      this.once(tx, { caseId, report }, repeat, async (id) => {
        await this.sightings.insert(tx, { ...encoded, id, caseId, source: 'phone', takenBy: actor.id });
        await this.audit.record(tx, {
          ...act(actor, agencyId, 'sighting.take', `sighting:${id}`),
          detail: { case: caseId },
        });
      }),
    );
  }

  /**
   * A case's tips, newest first, {@link SIGHTINGS_PAGE} at a time.
   * @param before the last page's `next`
   * @throws Refusal `case_not_found`, `forbidden`
   */
  async list(actor: OfficerActor, caseId: string, before: string | null): Promise<SightingPage> {
    const standing = await this.demandCase(actor, 'sighting.read', caseId, caseNotFound());
    return this.transactions.run(async ({ tx }) => {
      const found = await this.sightings.page(tx, caseId, before, SIGHTINGS_PAGE + 1);
      const sightings = found.slice(0, SIGHTINGS_PAGE);
      const detail = { sightings: sightings.length };
      await this.reads.record(tx, actor, standing, { action: 'sighting.read', detail });
      return { sightings, next: found.length > SIGHTINGS_PAGE ? (sightings.at(-1)?.id ?? null) : null };
    });
  }

  /**
   * A tip's photo, as JPEG.
   * @throws Refusal `case_not_found`, `sighting_not_found`, `forbidden`
   */
  async photo(actor: OfficerActor, caseId: string, id: string): Promise<Buffer> {
    const standing = await this.demandCase(actor, 'sighting.read', caseId, caseNotFound());
    return this.transactions.run(async ({ tx }) => {
      const jpeg = await this.sightings.photo(tx, caseId, id);
      if (!jpeg) throw sightingNotFound();
      await this.reads.record(tx, actor, standing, { action: 'sighting.read', thing: `sighting:${id}` });
      return jpeg;
    });
  }

  /** @throws Refusal `sighting_not_found`, `forbidden`, `sighting_transition_refused` */
  async triage(actor: OfficerActor, id: string, triage: Triage): Promise<void> {
    const caseId = await this.sightings.caseOf(id);
    if (caseId === undefined) throw sightingNotFound();
    const { agencyId } = await this.demandCase(actor, 'sighting.triage', caseId, sightingNotFound());
    await this.transactions.run(async ({ tx }) => {
      const from = await this.sightings.lockState(tx, id);
      if (from === undefined) throw sightingNotFound();
      if (!canBecome(from, triage.to)) throw transitionRefused(from, triage.to);
      const dismissal = triage.to === 'dismissed' ? triage.dismissal : null;
      await this.sightings.triage(tx, id, triage.to, dismissal, actor.id);
      const detail = { from, to: triage.to, dismissal };
      await this.audit.record(tx, { ...act(actor, agencyId, 'sighting.triage', `sighting:${id}`), detail });
    });
  }

  /**
   * Empties tips whose case was erased; what they say cannot be read from that moment on, whether or not this ran.
   * @param limit how many at most
   * @returns how many
   */
  forgetErased(limit = FORGOTTEN_AT_ONCE): Promise<number> {
    return this.sightings.forgetErased(limit);
  }

  /** Checks a report and re-encodes its photo: outside the transaction, for it takes a while. */
  private async prepare(report: SightingReport): Promise<SightingReport> {
    const latest = this.clock.now().getTime() + CLOCK_TOLERANCE_MS;
    if (report.observedAt && report.observedAt.getTime() > latest) {
      throw new Refusal<SightingRefusal>('observed_in_future', 'The time of the sighting has not come yet.');
    }
    return { ...report, photo: report.photo && (await reencodePhoto(report.photo)).jpeg };
  }

  /** Makes the sighting, or finds the one that an earlier request with the same key made. */
  private async once(
    tx: EntityManager,
    { caseId, report }: { caseId: string; report: SightingReport },
    repeat: IdempotentRequest | undefined,
    make: (id: string) => Promise<void>,
  ): Promise<SightingReceipt> {
    const id = randomUUID();
    const photo = report.photo && createHash('sha256').update(report.photo).digest('hex');
    const request = { caseId, sent: repeat?.request, photo };
    const earlier = repeat && (await this.idempotency.claim(tx, { ...repeat, request }, id));
    if (!earlier) await make(id);
    const receipt = await this.sightings.receipt(tx, earlier ?? id);
    if (!receipt) throw sightingNotFound();
    return receipt;
  }

  /**
   * Another agency's case is not found, as one that is not there.
   * @returns how a case stands that `actor` may do this with
   * @throws Refusal `notFound`, `case_erased`
   */
  private async demandCase(
    actor: OfficerActor,
    action: Action,
    caseId: string,
    notFound: Refusal,
  ): Promise<CaseStanding> {
    const standing = await this.cases.standing(caseId);
    if (!standing) throw notFound;
    authorize(actor, action, standing, notFound);
    if (standing.erasedAt) throw caseErased();
    return standing;
  }
}

function act(actor: OfficerActor, agencyId: string, action: Action, thing: string) {
  return { agencyId, actor: actorReference(actor), action, thing };
}

function sightingNotFound(): Refusal<SightingRefusal> {
  return new Refusal('sighting_not_found', 'There is no such sighting.');
}

function transitionRefused(from: string, to: string): Refusal<SightingRefusal> {
  return new Refusal('sighting_transition_refused', `A sighting that is ${from} cannot become ${to}.`, { from, to });
}
