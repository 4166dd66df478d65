import { Injectable, Logger } from '@nestjs/common';
import { Cases } from '#cases';
import { DeploymentIdentity, Transactions } from '#platform';
import { AlertRepository } from './alert.repository.ts';
import { SystemHolds } from './system-holds.service.ts';

/** What a restore has made of the cases and alerts of then. */
export interface Restored {
  /** Cases erased since the backup, and now here too. */
  readonly erased: number;
  /** Live alerts about such cases: their time is over, and a worker ends them. */
  readonly ending: number;
  /** Live alerts that are held. */
  readonly held: number;
}

/**
 * A database that comes from a backup has forgotten what was sent since: nothing of its alerts is sent until two officers
 * resume each.
 */
@Injectable()
export class Restoration {
  private readonly logger = new Logger(Restoration.name);

  constructor(
    private readonly identity: DeploymentIdentity,
    private readonly cases: Cases,
    private readonly alerts: AlertRepository,
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

  /** What is due in a database that was restored just now, whatever it remembers of where it was; again is no fault. */
  async arrive(): Promise<Restored> {
    const forgotten = await this.transactions.run(async ({ tx }) => {
      const erased = await this.cases.eraseKeyless(tx);
      return { erased, ending: await this.alerts.expireErased(tx) };
    });
    // Last: until the place is taken on nothing can be claimed.
    const held = await this.transactions.run(async ({ tx }) => {
      await this.identity.settle(tx);
      return this.holds.holdLive(tx, 'restored');
    });
    return { ...forgotten, held };
  }
}
