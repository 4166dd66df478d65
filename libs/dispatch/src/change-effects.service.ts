import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audience } from '#audience';
import { type CaseRefusal, CasePhotos, Cases } from '#cases';
import type { Area } from '#geo';
import { Refusal, type UnitOfWork } from '#platform';
import { AlertPhotoRepository } from './alert-photo.repository.ts';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { Asking } from './asking.service.ts';
import { areaOf } from './change-area.ts';
import type { AlertChange } from './change.entity.ts';
import { ChangeRepository } from './change.repository.ts';
import type { Approved, ProposedChange } from './change.types.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import { feed } from './dispatch.jobs.ts';
import { Ladders } from './ladder.service.ts';
import type { HeldAlert } from './live-alerts.service.ts';
import type { Message } from './message.entity.ts';
import { PublicCopies } from './public-copies.ts';
import { Telling } from './telling.service.ts';

const NOBODY_ASKED: Approved = { targeted: null };

/** What each kind of change demands of an alert and does to it. */
@Injectable()
export class ChangeEffects {
  constructor(
    private readonly alerts: AlertRepository,
    private readonly photos: AlertPhotoRepository,
    private readonly asking: Asking,
    private readonly audience: Audience,
    private readonly cases: Cases,
    private readonly casePhotos: CasePhotos,
    private readonly changes: ChangeRepository,
    private readonly copies: PublicCopies,
    private readonly ladders: Ladders,
    private readonly telling: Telling,
  ) {}

  /**
   * Whether the alert, as it stands, can be changed so.
   * @throws Refusal `alert_stopped`, `alert_not_held`, `ring_not_wider`, `area_invalid`, `photo_not_found`, and
   *   whatever {@link Ladders.demand} refuses
   */
  async demand(tx: EntityManager, { alert, cases }: HeldAlert, change: ProposedChange): Promise<void> {
    switch (change.kind) {
      case 'area':
      case 'ring':
        return this.demandAskable(tx, alert, change);
      case 'ladder':
        this.demandNotStopped(alert);
        return this.ladders.demand(tx, change.ladder, alert);
      case 'resume':
        if (alert.heldAt) return;
        throw new Refusal<DispatchRefusal>('alert_not_held', 'The alert is not held: there is nothing to resume.');
      case 'photo':
        await this.caseOfPhoto(tx, cases, change.photoId);
        return;
      case 'texts':
      case 'renew':
    }
  }

  /** Does it, in the transaction of the approval. */
  async apply(unit: UnitOfWork, held: HeldAlert, message: Message, change: AlertChange): Promise<Approved> {
    const { alert } = held;
    const { content } = change;
    switch (content.kind) {
      case 'area':
      case 'ring':
        return this.widen(unit, alert, message, areaOf(content, alert));
      case 'texts':
        return this.tell(unit, alert, { ...message, texts: content.texts }, change);
      case 'renew':
        await this.alerts.renew(unit.tx, alert.id, content.hours);
        return NOBODY_ASKED;
      case 'ladder':
        await this.changes.withdrawProposedRing(unit.tx, alert.id, change.decidedBy);
        await this.alerts.update(unit.tx, alert.id, {
          ladder: content.ladder,
          ladderEndedAt: null,
          ladderEndedBy: null,
        });
        return NOBODY_ASKED;
      case 'resume':
        await this.alerts.resume(unit.tx, alert.id);
        await unit.enqueue(feed, {});
        return NOBODY_ASKED;
      case 'photo': {
        const caseId = await this.caseOfPhoto(unit.tx, held.cases, content.photoId);
        await this.photos.put(unit.tx, alert.id, await this.casePhotos.open(caseId, content.photoId, unit.tx));
        await this.alerts.update(unit.tx, alert.id, { photoId: content.photoId });
        return this.tell(unit, alert, message, change);
      }
    }
  }

  /** Devices that no wave of the alert holds are asked with its newest message. */
  private async widen(unit: UnitOfWork, alert: Alert, message: Message, area: Area): Promise<Approved> {
    await this.alerts.update(unit.tx, alert.id, { area });
    const { targeted } = await this.asking.ring(unit, { ...alert, area }, message);
    return { targeted };
  }

  /** A correction goes on being told with every later message: who missed it must not miss it for good. */
  private async tell(
    unit: UnitOfWork,
    alert: Alert,
    { texts, notice }: Message,
    { proposedBy }: AlertChange,
  ): Promise<Approved> {
    await this.copies.purge(unit, alert.slug);
    await this.telling.tell(unit, alert, { kind: 'update', texts, notice, authorId: proposedBy, passesHold: false });
    return NOBODY_ASKED;
  }

  private async demandAskable(
    tx: EntityManager,
    alert: Alert,
    change: ProposedChange & { readonly kind: 'area' | 'ring' },
  ): Promise<void> {
    this.demandNotStopped(alert);
    if (change.kind === 'area') return this.audience.demandSound(tx, change.area);
    if (alert.area.kind !== 'circle' || change.radiusM > alert.area.radiusM) return;
    throw new Refusal<DispatchRefusal>('ring_not_wider', 'A further ring must be wider than the present one.', {
      radiusM: alert.area.radiusM,
    });
  }

  private demandNotStopped({ stoppedAt }: Alert): void {
    if (!stoppedAt) return;
    throw new Refusal<DispatchRefusal>(
      'alert_stopped',
      'Sending was stopped for good. To ask more people, end the alert and submit a new one.',
    );
  }

  private async caseOfPhoto(tx: EntityManager, cases: HeldAlert['cases'], photoId: string): Promise<string> {
    for (const { id } of cases) {
      const photos = await this.cases.photos(tx, id);
      if (photos.some((photo) => photo.id === photoId)) return id;
    }
    throw new Refusal<CaseRefusal>('photo_not_found', 'photoId is not a photo of this alert’s cases.');
  }
}
