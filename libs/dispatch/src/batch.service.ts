import { Inject, Injectable, Logger } from '@nestjs/common';
import { Devices } from '#audience';
import { Clock, ENV, type Env, Transactions } from '#platform';
import { PUSH_GATEWAY, type PushGateway, type PushMessage } from '#push';
import { BatchRepository, type Lease } from './batch.repository.ts';
import { BatchRun, type Interruption } from './batch-run.ts';
import { isNight } from './night.ts';
import { Pacer, type Room } from './pacer.ts';
import { pushTo } from './push-payload.ts';
import { RecipientReferences } from './recipient-reference.ts';
import { WaveRepository } from './wave.repository.ts';

/** Tries after which those still in doubt are left `unknown`. */
const DOUBTFUL_ATTEMPTS = 5;
/** A lease is renewed this often while its worker lives, however long it waits for room or for answers. */
const RENEW_MS = 5_000;
/** FCM's advice: 1, 2, 4, 8, 16, 32 seconds, with jitter. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 32_000;
/** Redis does not answer: try again soon, nothing was sent. */
const NO_PACER_MS = 1_000;
/** An ending goes out four times as fast as another alert beside it: it spares people a search. */
const ENDING_WEIGHT = 4;

/** Sends one batch and writes what became of every recipient: the ledger's protocol. */
@Injectable()
export class BatchSender {
  private readonly logger = new Logger(BatchSender.name);
  private draining = false;

  constructor(
    private readonly batches: BatchRepository,
    private readonly waves: WaveRepository,
    private readonly devices: Devices,
    private readonly pacer: Pacer,
    private readonly references: RecipientReferences,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(PUSH_GATEWAY) private readonly gateway: PushGateway,
    @Inject(ENV) private readonly env: Pick<Env, 'PUBLIC_URL'>,
  ) {}

  /**
   * Sends what is pending of a batch. A job whose epoch is no longer the batch's does nothing.
   * @returns whether this worker held the batch to the end.
   */
  async send(batchId: number, epoch: number): Promise<boolean> {
    const lease = await this.batches.claim(batchId, epoch);
    if (!lease) return false;
    const run = new BatchRun(lease);
    // A batch whose workers keep dying never settles, so its doubts are given up here.
    if (lease.attempt > DOUBTFUL_ATTEMPTS) run.results.giveUpDoubtful();
    const pulse = setInterval(() => void this.renew(lease), RENEW_MS);
    try {
      const interruption = maySend(lease) ? await this.push(run) : null;
      return interruption?.why === 'lost' ? false : await this.settle(run, interruption);
    } finally {
      clearInterval(pulse);
    }
  }

  /** Gives back the batches of workers that went silent. @returns how many */
  reclaim(): Promise<number> {
    return this.batches.reclaim();
  }

  /** From now on batches stop at their next chunk and give the rest back: the process is going. */
  drain(): void {
    this.draining = true;
  }

  private async push(run: BatchRun): Promise<Interruption | null> {
    const messages = await this.compose(run);
    const asked = run.results.pending().filter((index) => messages.has(index));
    for (let from = 0; from < asked.length; from += this.pacer.chunk) {
      const interruption = await this.pushChunk(run, asked.slice(from, from + this.pacer.chunk), messages);
      if (interruption) return interruption;
    }
    return null;
  }

  /** Who has left since the snapshot is not asked: no message is composed for them. */
  private async compose({ lease, results }: BatchRun): Promise<Map<number, PushMessage>> {
    const pending = results.pending();
    const targets = await this.devices.targets(pending.map((index) => lease.ids[index] as number));
    const byId = new Map(targets.map((target) => [target.id, target]));
    const pushing = { lease, night: isNight(lease.zone, this.clock.now()), publicUrl: this.env.PUBLIC_URL };
    const messages = new Map<number, PushMessage>();
    for (const index of pending) {
      const target = byId.get(lease.ids[index] as number);
      if (target) messages.set(index, pushTo(target, this.references.encode(lease.batchId, index), pushing));
      else results.record(index, 'unregistered');
    }
    return messages;
  }

  private async pushChunk(
    run: BatchRun,
    indexes: readonly number[],
    all: ReadonlyMap<number, PushMessage>,
  ): Promise<Interruption | null> {
    const { lease, results } = run;
    const room = await this.room(lease, indexes.length);
    if (!room.granted) return { why: 'no_room', retryMs: room.retryMs };
    const before = results.toString();
    results.begin(indexes);
    const alertEpoch = await this.batches.checkpoint(lease, results.toString(), run.pushed);
    if (alertEpoch === null) return { why: 'lost' };
    if (alertEpoch !== lease.alertEpoch) {
      results.restore(before);
      return { why: 'overtaken' };
    }
    const messages = indexes.map((index) => all.get(index) as PushMessage);
    run.record(indexes, messages, await this.gateway.send(lease.mode, messages));
    const refused = run.refusedAtLarge(indexes.length);
    if (refused) await this.pause(refused.retryMs);
    return refused;
  }

  private async room({ alertId, audience, band, batchId }: Lease, messages: number): Promise<Room> {
    if (this.draining) return { granted: false, retryMs: 0 };
    const { provider } = this.gateway;
    const weight = audience === 'notified' ? ENDING_WEIGHT : 1;
    try {
      return await this.pacer.take({ provider, messages, flow: `${alertId}:${audience}`, weight, band, batchId });
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the pacer cannot be asked');
      return { granted: false, retryMs: NO_PACER_MS };
    }
  }

  private async pause(ms: number): Promise<void> {
    try {
      await this.pacer.pause(this.gateway.provider, ms);
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the pacer cannot be told to pause');
    }
  }

  private async renew(lease: Lease): Promise<void> {
    try {
      await this.batches.renew(lease);
    } catch (error) {
      this.logger.warn({ err: error as Error, batchId: lease.batchId }, 'a lease could not be renewed');
    }
  }

  /** Ends the hold on the batch, in one transaction with everything that follows from its results. */
  private async settle(run: BatchRun, interruption: Interruption | null): Promise<boolean> {
    const { lease, results, dead, pushed } = run;
    const held = await this.transactions.run(async ({ tx }) => {
      const ended = lease.audience === 'ring' && (await this.batches.alertState(tx, lease.alertId)) === 'ended';
      if (ended) results.giveUp('stopped');
      else if (lease.overdue) results.giveUp('expired');
      else if (lease.attempt >= DOUBTFUL_ATTEMPTS) results.giveUpDoubtful();
      const retryMs = results.pending().length > 0 ? retryDelay(run, interruption) : null;
      const tried = interruption?.why !== 'no_room';
      if (!(await this.batches.settle(tx, lease, { results: results.toString(), retryMs, pushed, tried })))
        return false;
      if (ended) await this.waves.appendNotified(tx, lease.batchId, lease.alertId);
      if (dead.length > 0) await this.devices.retire(tx, dead);
      return true;
    });
    const { batchId, alertId, epoch } = lease;
    if (run.codes.size > 0)
      this.logger.warn({ batchId, alertId, codes: Object.fromEntries(run.codes) }, 'not accepted');
    if (!held) this.logger.warn({ batchId, alertId, epoch }, 'the lease was lost before settling');
    return held;
  }
}

/** An alert that has ended asks nobody any more; its ending is told until its own deadline. */
function maySend(lease: Lease): boolean {
  return !lease.overdue && (lease.audience === 'notified' || lease.alertState === 'live');
}

/** No room is nobody's failure: come back when there may be some. Else full jitter over the upper half, so that workers which failed together do not come back together. */
function retryDelay({ lease, retryMs }: BatchRun, interruption: Interruption | null): number {
  if (interruption?.why === 'no_room') return interruption.retryMs;
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (lease.attempt - 1));
  return Math.max(retryMs, ceiling / 2 + (Math.random() * ceiling) / 2);
}
