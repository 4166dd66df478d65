import { Injectable, Logger } from '@nestjs/common';
import { DeploymentIdentity, Transactions } from '#platform';
import { SystemHolds } from './system-holds.service.ts';

/**
 * A database that comes from a backup has forgotten what was sent since: nothing of its alerts is sent until two officers
 * resume each.
 */
@Injectable()
export class Restoration {
  private readonly logger = new Logger(Restoration.name);

  constructor(
    private readonly identity: DeploymentIdentity,
    private readonly holds: SystemHolds,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Looks whether this still is the database that was swept before, and holds every live alert where it was made of a copy of
   * it. Until then no batch can be claimed in it.
   */
  async check(): Promise<void> {
    if (await this.identity.beat()) return;
    const { standing, held } = await this.transactions.run(async ({ tx }) => {
      const settled = await this.identity.settle(tx);
      return { standing: settled, held: settled === 'restored' ? await this.holds.holdLive(tx, 'restored') : 0 };
    });
    if (standing === 'restored') {
      this.logger.fatal({ held }, 'the database was restored from a copy: every live alert is held');
    } else if (standing === 'promoted') this.logger.warn('the database’s standby goes on in its place');
  }
}
