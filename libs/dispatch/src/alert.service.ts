import { randomBytes, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Actor, Agencies } from '#access';
import { Audience } from '#audience';
import { type Case, type CaseRefusal, Cases } from '#cases';
import { coarsen, type LonLat } from '#geo';
import { ENV, type Env, Refusal } from '#platform';
import { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { type AlertProposal, RING_M } from './alert.types.ts';
import { publicArea } from './change-area.ts';
import { alertNotFound } from './dispatch.errors.ts';
import { defaultLadder } from './ladder.ts';
import { Ladders } from './ladder.service.ts';
import type { Message } from './message.entity.ts';
import { instructionFor } from './texts.ts';

/** Composes the public alert of a case, before its release. */
@Injectable()
export class Alerts {
  constructor(
    private readonly alerts: AlertRepository,
    private readonly agencies: Agencies,
    private readonly audience: Audience,
    private readonly cases: Cases,
    private readonly ladders: Ladders,
    @Inject(ENV) private readonly env: Pick<Env, 'DEPLOYMENT'>,
  ) {}

  /**
   * Proposes the alert of a case that the caller holds, replacing an earlier proposal; null withdraws it.
   * @throws Refusal `case_incomplete` without a last-seen point, `area_invalid`, `photo_not_found`, and whatever
   *   {@link Ladders.demand} refuses
   */
  async propose(tx: EntityManager, actor: Actor, held: Case, proposal: AlertProposal | null): Promise<void> {
    const earlier = await this.alerts.ofCase(held.id, tx);
    if (!proposal) {
      if (earlier) await this.alerts.remove(tx, earlier.id);
      return;
    }
    const columns = await this.columns(tx, held, proposal);
    const authorId = actor.kind === 'officer' ? actor.id : null;
    if (earlier) {
      await this.alerts.update(tx, earlier.id, columns);
      await this.alerts.replaceTexts(tx, earlier.id, proposal.texts, authorId);
      return;
    }
    const id = randomUUID();
    const slug = randomBytes(9).toString('base64url');
    await this.alerts.insert(tx, { ...columns, ...UNRELEASED, id, slug, agencyId: held.agencyId }, held.id);
    const message = { id: randomUUID(), alertId: id, version: 1, kind: 'alert' as const, notice: null };
    await this.alerts.insertMessage(tx, { ...message, texts: proposal.texts, authorId });
  }

  /** The case's alert and its newest message, or null when none is proposed. */
  async ofCase(caseId: string, tx?: EntityManager): Promise<{ alert: Alert; message: Message } | null> {
    const alert = await this.alerts.ofCase(caseId, tx);
    if (!alert) return null;
    const message = await this.alerts.latestMessage(alert.id, tx);
    if (!message) throw new Error(`alert ${alert.id} has no message`);
    return { alert, message };
  }

  /** @throws Refusal `alert_not_found` */
  async lock(tx: EntityManager, id: string): Promise<Alert> {
    const alert = await this.alerts.lock(tx, id);
    if (!alert) throw alertNotFound();
    return alert;
  }

  private async columns(tx: EntityManager, held: Case, proposal: AlertProposal) {
    if (!held.lastSeenPoint) {
      throw new Refusal<CaseRefusal>('case_incomplete', 'An alert needs lastSeen.point: nearest first from there.', {
        missing: 'lastSeen.point',
      });
    }
    const point = held.lastSeenPoint.coordinates as unknown as LonLat;
    const area = publicArea(proposal.area ?? { kind: 'circle', center: point, radiusM: RING_M });
    await this.audience.demandSound(tx, area);
    await this.demandPhoto(tx, held, proposal.photoId);
    const { tier, hours } = proposal;
    const ladder = proposal.ladder ?? defaultLadder(area, tier, hours);
    await this.ladders.demand(tx, ladder, { tier, area, hours });
    const agency = await this.agencies.agencyById(held.agencyId, tx);
    return {
      mode:
        this.env.DEPLOYMENT === 'demo'
          ? ('demo' as const)
          : proposal.exercise
            ? ('exercise' as const)
            : ('real' as const),
      tier,
      area,
      ladder,
      origin: { type: 'Point' as const, coordinates: [...coarsen(point)] },
      zone: agency.zone,
      place: proposal.place,
      callNumber: agency.callNumber,
      instruction: instructionFor(held.type),
      photoId: proposal.photoId,
      hours,
    };
  }

  private async demandPhoto(tx: EntityManager, held: Case, photoId: string | null): Promise<void> {
    if (photoId === null) return;
    const photos = await this.cases.photos(tx, held.id);
    if (photos.some((photo) => photo.id === photoId)) return;
    throw new Refusal<CaseRefusal>('photo_not_found', 'alert.photoId is not a photo of this case.');
  }
}

const UNRELEASED = {
  state: 'proposed' as const,
  epoch: 0,
  releasedAt: null,
  expiresAt: null,
  endedAt: null,
  heldAt: null,
  heldBy: null,
  heldReason: null,
  resumedAt: null,
  stoppedAt: null,
  stoppedBy: null,
  ladderEndedAt: null,
  ladderEndedBy: null,
};
