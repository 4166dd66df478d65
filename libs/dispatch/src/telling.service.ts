import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { feed } from './dispatch.jobs.ts';
import type { Message } from './message.entity.ts';
import { PublicCopies } from './public-copies.ts';
import { WaveRepository } from './wave.repository.ts';

export interface Told extends Pick<Message, 'kind' | 'texts' | 'notice' | 'authorId'> {
  /** Sent although the alert is held. */
  readonly passesHold: boolean;
}

/** Tells those who were asked what is new: every message of an alert after its first. */
@Injectable()
export class Telling {
  constructor(
    private readonly alerts: AlertRepository,
    private readonly waves: WaveRepository,
    private readonly copies: PublicCopies,
  ) {}

  /** Adds the next message of an alert that the caller holds; it overtakes what waits of earlier ones. */
  async tell(unit: UnitOfWork, alert: Alert, told: Told): Promise<void> {
    const { tx, enqueue } = unit;
    const { passesHold, ...said } = told;
    const version = ((await this.alerts.latestMessage(alert.id, tx))?.version ?? 0) + 1;
    const messageId = randomUUID();
    await this.alerts.insertMessage(tx, { ...said, id: messageId, alertId: alert.id, version });
    await this.alerts.overtake(tx, alert.id);
    await this.copies.purge(unit, alert.slug);
    if (alert.tier === 'page_only') return;
    await this.waves.insert(tx, { alertId: alert.id, messageId, audience: 'notified', passesHold });
    await this.waves.bringUp(tx, alert.id, null);
    await enqueue(feed, {});
  }
}
