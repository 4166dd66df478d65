import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { BatchRepository } from './batch.repository.ts';
import { type DeadLetter, DeadLetterRepository, type DeadStanding } from './dead-letter.repository.ts';
import { WaveRepository } from './wave.repository.ts';

/** Why a batch is not tried again, or that it is. */
export type RetryOutcome =
  'retried' | 'not_dead' | 'alert_held' | 'alert_ended' | 'alert_stopped' | 'overtaken' | 'too_late';

/**
 * Batches set aside because their work always throws or their workers always die. Their recipients stay pending in the books
 * and their wave unsettled until somebody has them tried again, or what the alert has become gives them up.
 */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly letters: DeadLetterRepository,
    private readonly batches: BatchRepository,
    private readonly waves: WaveRepository,
  ) {}

  list(): Promise<DeadLetter[]> {
    return this.letters.list();
  }

  /**
   * Has a dead batch tried again with its alert's newest message, if the alert still is to be sent.
   * @returns null when there is no such batch
   */
  async retry(
    tx: EntityManager,
    batchId: number,
  ): Promise<(Pick<DeadStanding, 'alertId' | 'agencyId'> & { readonly outcome: RetryOutcome }) | null> {
    const standing = await this.batches.standing(tx, batchId);
    const before = await this.letters.standing(tx, batchId);
    if (!standing || !before) return null;
    if (before.dead && standing.behind) await this.waves.bringUp(tx, standing.alertId, batchId);
    const after = (await this.letters.standing(tx, batchId)) ?? before;
    const outcome = outcomeOf(before, after);
    if (outcome === 'retried') await this.letters.revive(tx, batchId);
    return { alertId: before.alertId, agencyId: before.agencyId, outcome };
  }
}

function outcomeOf(before: DeadStanding, after: DeadStanding): RetryOutcome {
  if (!before.dead) return 'not_dead';
  if (before.asks && before.ended) return 'alert_ended';
  if (before.asks && before.stopped) return 'alert_stopped';
  if (!after.dead) return 'overtaken';
  if (after.overdue) return 'too_late';
  return after.held ? 'alert_held' : 'retried';
}
