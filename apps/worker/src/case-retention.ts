import { Injectable } from '@nestjs/common';
import { Cases } from '#cases';
import { AlertRetention } from '#dispatch';
import { EngagementRetention } from '#engagement';
import { inPieces, sumOver } from '#platform';
import { Sightings } from '#sightings';

/** Cases or alerts that one step takes up at a time. */
const AT_ONCE = 50;
/** Tips and forwards in one statement. */
const ROWS = 5_000;
/** Pieces of a step in one run; what is left is the next run's. */
const PIECES = 200;

/** What goes with cases, in the order in which one thing lets go of another. */
@Injectable()
export class CaseRetention {
  constructor(
    private readonly cases: Cases,
    private readonly sightings: Sightings,
    private readonly alerts: AlertRetention,
    private readonly engagement: EngagementRetention,
  ) {}

  readonly steps = {
    cases: () => inPieces(AT_ONCE, PIECES, (limit) => this.cases.eraseDue(limit)),
    sightings: () => inPieces(ROWS, PIECES, (limit) => this.sightings.forgetErased(limit)),
    forwards: () => inPieces(ROWS, PIECES, (limit) => this.engagement.forgetForwarders(limit)),
    recipients: () => this.forgetRecipients(),
    alerts: () => inPieces(AT_ONCE, PIECES, (limit) => this.alerts.eraseDue(limit)),
  };

  /** Who answered is counted before it is forgotten whom the alert asked: either both are known of it or neither. */
  private async forgetRecipients(): Promise<number> {
    const late = await this.engagement.forgetLate(ROWS);
    const alerts = await this.alerts.recipientsDue(AT_ONCE);
    const reduce = async (id: string) => (await this.engagement.reduce(id)) + (await this.alerts.forgetRecipients(id));
    return late + (await sumOver(alerts, reduce));
  }
}
