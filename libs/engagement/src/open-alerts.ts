import { Injectable } from '@nestjs/common';
import {
  alertNotFound,
  type DispatchRefusal,
  type PublicAlert,
  PublicAlerts,
  type Recipient,
  RecipientReferences,
} from '#dispatch';
import { Refusal } from '#platform';
import { OpenAlertsRepository } from './open-alerts.repository.ts';

/** An alert that people can still answer, and the cases it is about. */
export interface OpenAlert {
  readonly alert: PublicAlert;
  readonly caseIds: readonly [string, ...string[]];
}

/** What an answer to an alert needs to know before it is taken. */
@Injectable()
export class OpenAlerts {
  constructor(
    private readonly alerts: PublicAlerts,
    private readonly openAlerts: OpenAlertsRepository,
    private readonly references: RecipientReferences,
  ) {}

  /** @throws Refusal `alert_not_found`, `alert_ended` */
  async demand(slug: string): Promise<OpenAlert> {
    const alert = await this.alerts.bySlug(slug);
    if (!alert) throw alertNotFound();
    if (alert.state === 'ended') throw alertEnded();
    const [first, ...others] = await this.alerts.caseIds(slug);
    if (first === undefined) throw alertNotFound();
    return { alert, caseIds: [first, ...others] };
  }

  /** Whom a reference in a push names, or null when it is not ours or another alert's: that one speaks for nobody here. */
  async recipientOf(alert: Pick<PublicAlert, 'id'>, reference: string): Promise<Recipient | null> {
    const recipient = this.references.decode(reference);
    if (!recipient) return null;
    return (await this.openAlerts.asked(alert.id, recipient.batchId, recipient.index)) ? recipient : null;
  }
}

export function alertEnded(): Refusal<DispatchRefusal> {
  return new Refusal('alert_ended', 'The search has ended. Thank you for your help.');
}
