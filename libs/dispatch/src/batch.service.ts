import { Inject, Injectable, Logger } from '@nestjs/common';
import { Devices, type PushTarget } from '#audience';
import { Clock, ENV, type Env, Transactions } from '#platform';
import { PUSH_GATEWAY, type PushGateway, type PushMessage, type PushOutcome } from '#push';
import { BatchRepository, type Lease } from './batch.repository.ts';
import { isNight } from './night.ts';
import { Pacer } from './pacer.ts';
import { pushTo } from './push-payload.ts';
import { RecipientReferences } from './recipient-reference.ts';
import { Results } from './results.ts';
import { WaveRepository } from './wave.repository.ts';

/** Tries that end in doubt before a recipient is left `unknown`. */
const DOUBTFUL_ATTEMPTS = 5;
/** FCM's advice: 1, 2, 4, 8, 16, 32 seconds, with jitter. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 32_000;

/** What ended a run before its recipients did. */
type Interruption = { readonly why: 'overtaken' | 'lost' } | { readonly why: 'later'; readonly retryMs: number };

/** One worker's hold on one batch. */
interface Run {
  readonly lease: Lease;
  readonly results: Results;
  readonly dead: Pick<PushTarget, 'id' | 'token'>[];
  pushed: boolean;
  /** The longest wait the provider asked for. */
  retryMs: number;
}

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
    const run: Run = { lease, results: new Results(lease.results, lease.size), dead: [], pushed: false, retryMs: 0 };
    const interruption = maySend(lease) ? await this.push(run) : null;
    return interruption?.why === 'lost' ? false : this.settle(run, interruption);
  }

  /** From now on batches stop at their next chunk and give the rest back: the process is going. */
  drain(): void {
    this.draining = true;
  }

  private async push(run: Run): Promise<Interruption | null> {
    const pending = run.results.pending();
    const messages = await this.compose(run, pending);
    const asked = pending.filter((index) => messages.has(index));
    for (let from = 0; from < asked.length; from += this.pacer.chunk) {
      const interruption = await this.pushChunk(run, asked.slice(from, from + this.pacer.chunk), messages);
      if (interruption) return interruption;
    }
    return null;
  }

  /** Who has left since the snapshot is not asked: no message is composed for them. */
  private async compose(run: Run, pending: readonly number[]): Promise<Map<number, PushMessage>> {
    const { lease, results } = run;
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

  private async pushChunk(run: Run, indexes: number[], all: Map<number, PushMessage>): Promise<Interruption | null> {
    if (this.draining) return { why: 'later', retryMs: 0 };
    const { lease, results } = run;
    const room = await this.pacer.take(this.gateway.provider, indexes.length, rankOf(lease));
    if (!room.granted) return { why: 'later', retryMs: room.retryMs };
    const before = results.toString();
    results.begin(indexes);
    const alertEpoch = await this.batches.checkpoint(lease, results.toString(), run.pushed);
    if (alertEpoch === null) return { why: 'lost' };
    if (alertEpoch !== lease.alertEpoch) {
      results.restore(before);
      return { why: 'overtaken' };
    }
    const messages = indexes.map((index) => all.get(index) as PushMessage);
    const outcomes = await this.gateway.send(lease.mode, messages);
    this.record(run, indexes, messages, outcomes);
    return run.retryMs > 0 ? await this.backOff(run) : null;
  }

  private record(run: Run, indexes: number[], messages: PushMessage[], outcomes: PushOutcome[]): void {
    indexes.forEach((index, place) => {
      const outcome = outcomes[place] as PushOutcome;
      run.results.record(index, outcome.outcome);
      if (outcome.outcome === 'accepted') run.pushed = true;
      if (outcome.outcome === 'unregistered') {
        run.dead.push({ id: run.lease.ids[index] as number, token: (messages[place] as PushMessage).token });
      }
      if (outcome.outcome === 'retry') run.retryMs = Math.max(run.retryMs, outcome.afterMs ?? 0);
    });
  }

  private async backOff(run: Run): Promise<Interruption> {
    await this.pacer.pause(this.gateway.provider, run.retryMs);
    return { why: 'later', retryMs: run.retryMs };
  }

  /** Ends the hold on the batch, in one transaction with everything that follows from its results. */
  private async settle(run: Run, interruption: Interruption | null): Promise<boolean> {
    const { lease, results } = run;
    const held = await this.transactions.run(async ({ tx }) => {
      const ended = (await this.batches.alertState(tx, lease.alertId)) === 'ended' && lease.audience === 'ring';
      if (ended) results.giveUp('stopped');
      else if (lease.overdue) results.giveUp('expired');
      else if (lease.attempt >= DOUBTFUL_ATTEMPTS) results.giveUpDoubtful();
      const rest = results.pending().length > 0;
      const retryMs = rest ? Math.max(retryDelay(lease.attempt), retryOf(interruption)) : null;
      if (!(await this.batches.settle(tx, lease, { results: results.toString(), retryMs, pushed: run.pushed }))) {
        return false;
      }
      if (ended) await this.waves.appendNotified(tx, lease.batchId, lease.alertId);
      if (run.dead.length > 0) await this.devices.retire(tx, run.dead);
      return true;
    });
    if (!held) this.logger.warn({ batchId: lease.batchId, epoch: lease.epoch }, 'the lease was lost before settling');
    return held;
  }
}

/** An alert that has ended asks nobody any more; its ending is told until its own deadline. */
function maySend(lease: Lease): boolean {
  return !lease.overdue && (lease.audience === 'notified' || lease.alertState === 'live');
}

/** Endings first, then the nearest band. */
export function rankOf({ audience, band }: Pick<Lease, 'audience' | 'band'>): number {
  return audience === 'notified' ? 1 : 2 + band;
}

function retryOf(interruption: Interruption | null): number {
  return interruption?.why === 'later' ? interruption.retryMs : 0;
}

/** Full jitter over the upper half, so that workers which failed together do not come back together. */
function retryDelay(attempt: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (attempt - 1));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}
