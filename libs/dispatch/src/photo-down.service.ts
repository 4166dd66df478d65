import { Injectable } from '@nestjs/common';
import { actorReference, type OfficerActor, Reviews } from '#access';
import { Audit } from '#audit';
import { Transactions } from '#platform';
import { AlertPhotoRepository } from './alert-photo.repository.ts';
import { AlertRepository } from './alert.repository.ts';
import { LiveAlerts } from './live-alerts.service.ts';
import { PublicCopies } from './public-copies.ts';
import { Telling } from './telling.service.ts';

/** Takes the public photo of an alert down: one officer, at once. Putting one back takes two, as a change. */
@Injectable()
export class PhotoDown {
  constructor(
    private readonly liveAlerts: LiveAlerts,
    private readonly alerts: AlertRepository,
    private readonly photos: AlertPhotoRepository,
    private readonly copies: PublicCopies,
    private readonly telling: Telling,
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly transactions: Transactions,
  ) {}

  /**
   * @param wrong whether it showed somebody else: then everyone who was asked is told so, even while the alert is held
   * @throws Refusal whatever {@link LiveAlerts.live} refuses; without a photo that is up, only the correction of one that was up has an effect
   */
  take(actor: OfficerActor, alertId: string, wrong: boolean): Promise<void> {
    return this.transactions.run(async (unit) => {
      const { tx } = unit;
      const { alert } = await this.liveAlerts.live(tx, actor, 'alert.photo_down', alertId);
      const message = await this.alerts.latestMessage(alertId, tx);
      const removed = await this.photos.remove(tx, alertId);
      const [act, thing] = ['alert.photo_down', `alert:${alertId}`];
      const told = message?.notice === 'photo_wrong';
      if (!removed && (!wrong || told || !(await this.reviews.wasDone(tx, act, thing)))) return;
      await this.alerts.update(tx, alertId, { photoId: null });
      await this.copies.purge(unit, alert.slug);
      if (message && wrong) {
        const correction = { kind: 'update', texts: message.texts, notice: 'photo_wrong', authorId: null } as const;
        await this.telling.tell(unit, alert, { ...correction, passesHold: true });
      }
      const { agencyId } = alert;
      await this.reviews.add(tx, { agencyId, act, thing, officerId: actor.id });
      await this.audit.record(tx, { agencyId, actor: actorReference(actor), action: act, thing, detail: { wrong } });
    });
  }
}
