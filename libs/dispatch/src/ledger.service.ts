import { Injectable, Logger } from '@nestjs/common';
import { Devices, type PushTarget } from '#audience';
import { Transactions } from '#platform';
import { BatchRepository } from './batch.repository.ts';
import type { Lease, Settlement } from './batch.types.ts';
import { DeadLetterRepository } from './dead-letter.repository.ts';
import { Results } from './results.ts';
import { WaveRepository } from './wave.repository.ts';

/** Tries after which those still in doubt are left `unknown`. */
const DOUBTFUL_ATTEMPTS = 5;

/** What a worker leaves of a batch: see {@link Ledger.settle}. */
export interface Leaving {
  readonly results: Results;
  /** Recipients whose token the provider calls dead. */
  readonly dead: readonly Pick<PushTarget, 'id' | 'token'>[];
  readonly pushed: boolean;
  /** Whether the provider was asked for the rest: else the attempt does not count. */
  readonly tried: boolean;
  /** Milliseconds until the rest is tried again. */
  readonly retryMs: number;
}

/** What a worker whose work threw leaves: see {@link Ledger.fault}. */
export interface Fault extends Pick<Leaving, 'results' | 'dead' | 'pushed'> {
  readonly reason: string;
}

/**
 * The ledger's protocol. Its law: each batch of a ring knows a version; everyone accepted or unknown in it was sent a
 * message of at least that version, or is in a wave that tells one. So whoever was asked is told the newest message, once.
 */
@Injectable()
export class Ledger {
  private readonly logger = new Logger(Ledger.name);

  constructor(
    private readonly batches: BatchRepository,
    private readonly letters: DeadLetterRepository,
    private readonly waves: WaveRepository,
    private readonly devices: Devices,
    private readonly transactions: Transactions,
  ) {}

  /** Takes a batch for a worker, bringing it up to its alert's newest message first. @returns null when it is not to be had */
  async claim(batchId: number, epoch: number): Promise<Lease | null> {
    const lease = await this.batches.claim(batchId, epoch);
    if (lease || !(await this.batches.isBehind(batchId, epoch))) return lease;
    await this.transactions.run(async ({ tx }) => {
      const standing = await this.batches.standing(tx, batchId);
      if (standing?.behind) await this.waves.bringUp(tx, standing.alertId, batchId);
    });
    return this.batches.claim(batchId, epoch);
  }

  /**
   * Gives back batches whose worker went silent, brought up to their alert's newest message: of an alert that is held nobody
   * would claim them, and its ending is told all the same.
   * @returns how many
   */
  async reclaim(): Promise<number> {
    await this.letters.releaseOverdue();
    let reclaimed = 0;
    for (const batchId of await this.batches.silent()) if (await this.takeBack(batchId)) reclaimed++;
    return reclaimed;
  }

  private takeBack(batchId: number): Promise<boolean> {
    return this.transactions.run(async ({ tx }) => {
      const standing = await this.batches.standing(tx, batchId);
      const state = standing && (await this.batches.takeBack(tx, batchId));
      if (!state) return false;
      if (state === 'dead') this.tellDead(batchId, 'workers_died');
      if (standing.behind) await this.waves.bringUp(tx, standing.alertId, batchId);
      return true;
    });
  }

  private tellDead(batchId: number, reason: string): void {
    this.logger.error(
      { batchId, reason },
      'a batch is set aside: `batches dead` lists it, `batches retry` tries again',
    );
  }

  /** A batch whose workers keep dying never settles, so its doubts are given up when it is claimed once more. */
  resultsOf(lease: Lease): Results {
    const results = new Results(lease.results, lease.size);
    if (lease.attempt > DOUBTFUL_ATTEMPTS) results.giveUpDoubtful();
    return results;
  }

  /**
   * Ends the hold on a batch whose work threw: it is tried again after a while, a few times, and then set aside, with what is
   * known of its recipients and the rest pending.
   * @param reason a code
   * @returns whether the lease was still held
   */
  fault(lease: Lease, { results, dead, pushed, reason }: Fault): Promise<boolean> {
    return this.transactions.run(async ({ tx }) => {
      const standing = await this.batches.standing(tx, lease.batchId);
      const state = standing && (await this.batches.fault(tx, lease, results.toString(), pushed, codeOf(reason)));
      if (!state) return false;
      if (state === 'dead') this.tellDead(lease.batchId, codeOf(reason));
      if (standing.behind) await this.waves.bringUp(tx, standing.alertId, lease.batchId);
      if (dead.length > 0) await this.devices.retire(tx, dead);
      return true;
    });
  }

  /**
   * Ends the hold on a batch, in one transaction with everything that follows from its results.
   * @returns whether the lease was still held
   */
  async settle(lease: Lease, leaving: Leaving): Promise<boolean> {
    const givesUp = lease.overdue || lease.attempt >= DOUBTFUL_ATTEMPTS;
    return (!givesUp && (await this.settleAbreast(lease, leaving))) || this.settleInFull(lease, leaving);
  }

  /** The usual case in few statements. @returns false where it is another case */
  private settleAbreast(lease: Lease, leaving: Leaving): Promise<boolean> {
    const settlement = settlementOf(leaving);
    const { dead } = leaving;
    if (dead.length === 0) return this.batches.settleAbreast(lease, settlement);
    return this.transactions.run(async ({ tx }) => {
      const held = await this.batches.settleAbreast(lease, settlement, tx);
      if (held) await this.devices.retire(tx, dead);
      return held;
    });
  }

  private settleInFull(lease: Lease, leaving: Leaving): Promise<boolean> {
    const { results, dead } = leaving;
    return this.transactions.run(async ({ tx }) => {
      const standing = await this.batches.standing(tx, lease.batchId);
      if (!standing) return false;
      // What has overtaken the batch gives up its rest in its own way.
      if (!standing.behind && lease.overdue) results.giveUp('expired');
      else if (!standing.behind && lease.attempt >= DOUBTFUL_ATTEMPTS) results.giveUpDoubtful();
      if (!(await this.batches.settle(tx, lease, settlementOf(leaving)))) return false;
      if (standing.behind) await this.waves.bringUp(tx, standing.alertId, lease.batchId);
      if (dead.length > 0) await this.devices.retire(tx, dead);
      return true;
    });
  }
}

function settlementOf({ results, retryMs, pushed, tried }: Leaving): Settlement {
  return { results: results.toString(), retryMs: results.pending().length > 0 ? retryMs : null, pushed, tried };
}

/** Nothing but a code is kept: an error's name is one, unless somebody made it up from data. */
function codeOf(reason: string): string {
  return /^[A-Za-z0-9_]{1,64}$/.test(reason) ? reason : 'fault';
}
