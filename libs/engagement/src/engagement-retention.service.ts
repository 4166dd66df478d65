import { Injectable } from '@nestjs/common';
import { inPieces, Transactions } from '#platform';
import { EngagementRetentionRepository } from './engagement-retention.repository.ts';

/** Rows deleted in one statement: well under a second. */
const ROWS = 20_000;
/** Statements an alert may take in one run. */
const MANY = 1000;

/** What phones and visitors told is reduced to counts. */
@Injectable()
export class EngagementRetention {
  constructor(
    private readonly engagement: EngagementRetentionRepository,
    private readonly transactions: Transactions,
  ) {}

  /** Forgets who forwarded, of alerts whose cases are all closed and where the device has left: the tree of links stays. @returns how many */
  async forgetForwarders(limit: number): Promise<number> {
    const closed = await this.engagement.forgetForwarders(limit);
    return closed + (await this.engagement.forgetGone(limit - closed));
  }

  /**
   * Counts an alert's receipts and views for good and deletes them. What was cut off is taken up where it stood: the counts
   * are written once, before anything is deleted.
   * @returns rows
   */
  async reduce(alertId: string): Promise<number> {
    await this.transactions.run(async ({ tx }) => {
      if (!(await this.engagement.begin(tx, alertId))) return;
      await this.engagement.countReceipts(tx, alertId);
      await this.engagement.countViews(tx, alertId);
    });
    const receipts = await inPieces(ROWS, MANY, (limit) => this.engagement.deleteReceipts(alertId, limit));
    return receipts + (await inPieces(ROWS, MANY, (limit) => this.engagement.deleteViews(alertId, limit)));
  }

  /** Forgets what was being written while its alert was reduced. @returns how many */
  forgetLate(limit: number): Promise<number> {
    return this.engagement.deleteLate(limit);
  }
}
