import { Injectable } from '@nestjs/common';
import { GapRepository } from './gap.repository.ts';
import { SystemHolds } from './system-holds.service.ts';

/**
 * After a long gap an old alert does not wake people: one that owed pushes and had none accepted for a quarter of an hour is held,
 * whatever kept it (workers, provider or Redis away), and two officers decide. Endings are never held.
 */
@Injectable()
export class Gaps {
  constructor(
    private readonly gaps: GapRepository,
    private readonly holds: SystemHolds,
  ) {}

  /** To be called before anything is fed: until it has looked, nothing of an alert that was silent can be claimed. @returns how many are held */
  async hold(): Promise<number> {
    let held = 0;
    for (const alertId of await this.gaps.look()) {
      if (await this.holds.hold(alertId, 'gap', (tx) => this.gaps.isGap(tx, alertId))) held++;
    }
    return held;
  }
}
