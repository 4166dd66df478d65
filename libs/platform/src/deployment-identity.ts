import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DeploymentIdentityRepository, type Standing } from './deployment-identity.repository.ts';

/** Knows the database that the deployment is in, so that it notices when it wakes up in another. */
@Injectable()
export class DeploymentIdentity {
  constructor(private readonly rows: DeploymentIdentityRepository) {}

  /** Notes that a worker lives, for a failover is told from a restore by it. @returns whether all is as it was */
  beat(): Promise<boolean> {
    return this.rows.beat();
  }

  /**
   * Takes this database on as the deployment's. Whoever asks at the same time waits for the transaction to end, and then
   * finds it the `same`.
   * @returns what it was until now
   * @throws Error where the row is missing
   */
  async settle(tx: EntityManager): Promise<Standing> {
    const standing = await this.rows.lock(tx);
    if (standing === null) throw new Error('deployment_identity has lost its row: nothing is sent without it');
    await this.rows.settle(tx);
    return standing;
  }
}
