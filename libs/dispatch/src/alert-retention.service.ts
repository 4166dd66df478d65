import { Injectable } from '@nestjs/common';
import { Audit } from '#audit';
import { inPieces, sumOver, Transactions } from '#platform';
import { AlertRetentionRepository, type Nothing } from './alert-retention.repository.ts';
import { endingTexts } from './texts.ts';

/** How long after the closing of all its cases it is known whom an alert asked: long enough to look into what went wrong. */
export const RECIPIENTS_KEPT_DAYS = 30;

/** Arrays deleted in one statement: 500 recipients each. */
const ARRAYS = 500;
/** Statements an alert may take in one run: two hundred and fifty million recipients. */
const MANY = 1000;

/** The least an area can be, at the place where nobody lives. */
const NOTHING: Nothing = {
  area: { kind: 'circle', center: [0, 0], radiusM: 1000 },
  place: { 'zh-CN': '', en: '' },
  texts: endingTexts('expire', 'ended'),
};

/** What an alert knows goes in two steps: whom it asked, and whom it was about. */
@Injectable()
export class AlertRetention {
  constructor(
    private readonly alerts: AlertRetentionRepository,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** Alerts whose recipients have been known for long enough, the oldest closing first. */
  recipientsDue(limit: number): Promise<string[]> {
    return this.alerts.reducible(RECIPIENTS_KEPT_DAYS, limit);
  }

  /** Deletes whom an alert asked; how many, and with what result, stays in its batches. Again is no fault. @returns arrays */
  async forgetRecipients(alertId: string): Promise<number> {
    const deleted = await inPieces(ARRAYS, MANY, (limit) => this.alerts.deleteRecipients(alertId, limit));
    await this.alerts.markForgotten(alertId);
    return deleted;
  }

  /**
   * Erases alerts all of whose cases are erased, each in a transaction of its own: texts, place, area and photo go, also from
   * its changes and the lands it crossed; its slug stays, to answer that it is gone.
   * @returns how many
   */
  async eraseDue(limit: number): Promise<number> {
    return sumOver(await this.alerts.erasable(limit), async (id) => ((await this.erase(id)) ? 1 : 0));
  }

  private erase(id: string): Promise<boolean> {
    return this.transactions.run(async ({ tx }) => {
      const agencyId = await this.alerts.lockErasable(tx, id);
      if (agencyId === null) return false;
      await this.alerts.erase(tx, id, NOTHING);
      const entry = { agencyId, actor: 'system:retention', action: 'alert.erase', thing: `alert:${id}` };
      await this.audit.record(tx, entry);
      return true;
    });
  }
}
