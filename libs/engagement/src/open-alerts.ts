import { Injectable } from '@nestjs/common';
import { type DispatchRefusal, type PublicAlert, PublicAlerts } from '#dispatch';
import { Refusal } from '#platform';

/** An alert that people can still answer, and the cases it is about. */
export interface OpenAlert {
  readonly alert: PublicAlert;
  readonly caseIds: readonly [string, ...string[]];
}

/** What an answer to an alert needs to know before it is taken. */
@Injectable()
export class OpenAlerts {
  constructor(private readonly alerts: PublicAlerts) {}

  /** @throws Refusal `alert_not_found`, `alert_ended` */
  async demand(slug: string): Promise<OpenAlert> {
    const alert = await this.alerts.bySlug(slug);
    if (!alert) throw notFound();
    if (alert.state === 'ended') throw alertEnded();
    const [first, ...others] = await this.alerts.caseIds(slug);
    if (first === undefined) throw notFound();
    return { alert, caseIds: [first, ...others] };
  }
}

export function alertEnded(): Refusal<DispatchRefusal> {
  return new Refusal('alert_ended', 'The search has ended. Thank you for your help.');
}

function notFound(): Refusal<DispatchRefusal> {
  return new Refusal('alert_not_found', 'There is no such alert.');
}
