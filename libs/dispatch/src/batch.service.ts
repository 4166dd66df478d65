import { Inject, Injectable, Logger } from '@nestjs/common';
import { Devices, type PushTarget } from '#audience';
import { Clock, ENV, type Env, isUnavailable, type JobData, outlast } from '#platform';
import { PUSH_GATEWAY, type PushGateway, type PushMessage, type PushOutcome } from '#push';
import { BatchRepository } from './batch.repository.ts';
import type { Lease } from './batch.types.ts';
import { BatchRun, type Chunk, type Interruption, refusedAtLarge, type TurnEnd } from './batch-run.ts';
import { PROBE_EVERY_MS } from './breaker.ts';
import type { sendBatch } from './dispatch.jobs.ts';
import { ENDING_WEIGHT } from './feeder.ts';
import { Ledger } from './ledger.service.ts';
import { isNight, untilDayMs } from './night.ts';
import { type GrantedRoom, Pacer, type Room } from './pacer.ts';
import { Pushes } from './push-payload.ts';
import { RecipientReferences } from './recipient-reference.ts';
import { SendingMetrics } from './sending.metrics.ts';
import { asks } from './texts.ts';

/** A lease is renewed this often while its worker lives, however long it waits for room or for answers. */
const RENEW_MS = 5_000;
/** A chunk whose answers are late is asked this often whether it was overtaken: a hold has to hold within two seconds. */
const WATCH_MS = 500;
/** FCM's advice: 1, 2, 4, 8, 16, 32 seconds, with jitter. */
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 32_000;
/** A batch refused at large asks again this soon, so that it learns in time that the provider is back: the breaker keeps it from being many. */
const REFUSED_MAX_MS = PROBE_EVERY_MS;
/**
 * So long a worker holds on to what it knows while PostgreSQL is away: its writes are fenced, so that they count if nobody has
 * taken the batch meanwhile and change nothing else. Nothing is sent meanwhile.
 */
const OUTLAST_MS = 60_000;
/** Redis does not answer: try again soon, nothing was sent. */
const NO_PACER_MS = 1_000;

/** Sends one batch and writes what became of every recipient: the ledger's protocol. */
@Injectable()
export class BatchSender {
  private readonly logger = new Logger(BatchSender.name);
  private draining = false;

  constructor(
    private readonly batches: BatchRepository,
    private readonly ledger: Ledger,
    private readonly devices: Devices,
    private readonly pacer: Pacer,
    private readonly references: RecipientReferences,
    private readonly clock: Clock,
    private readonly metrics: SendingMetrics,
    @Inject(PUSH_GATEWAY) private readonly gateway: PushGateway,
    @Inject(ENV) private readonly env: Pick<Env, 'PUBLIC_URL'>,
  ) {}

  /**
   * Sends what is pending of a batch. A job whose epoch is no longer the batch's does nothing. Calls in the order of the
   * batches: each holds back what is much farther away.
   * @returns whether this worker held the batch to the end.
   */
  async send({ batchId, epoch, waveId, band }: JobData<typeof sendBatch>): Promise<boolean> {
    const leave = this.pacer.enter(waveId, band);
    try {
      return await this.sendHeld(batchId, epoch);
    } finally {
      leave();
    }
  }

  private async sendHeld(batchId: number, epoch: number): Promise<boolean> {
    const beganAt = Date.now();
    const lease = await this.ledger.claim(batchId, epoch);
    if (!lease) return false;
    const run = new BatchRun(lease, this.ledger.resultsOf(lease), beganAt);
    const pulse = setInterval(() => void this.renew(lease), RENEW_MS);
    let end: TurnEnd = 'lost';
    try {
      const interruption = lease.overdue ? null : (this.night(lease) ?? (await this.push(run)));
      if (interruption?.why !== 'lost' && (await this.settle(run, interruption))) end = run.endedBy(interruption);
      return end !== 'lost';
    } catch (error) {
      // Of a database that is away the lease runs out, and whoever comes next takes it up.
      if (!isUnavailable(error)) {
        end = 'fault';
        await this.fault(run, error);
      }
      throw error;
    } finally {
      clearInterval(pulse);
      this.metrics.ended(end, lease.results, run.results.toString());
      run.end(end);
    }
  }

  /** Gives back the batches of workers that went silent. @returns how many */
  reclaim(): Promise<number> {
    return this.ledger.reclaim();
  }

  /** From now on batches stop at their next chunk and give the rest back: the process is going. */
  drain(): void {
    this.draining = true;
  }

  /** A serious alert asks by day only, whatever has kept it until the night: a hold, a slow provider, a worker that was away. */
  private night({ tier, audience, zone }: Lease): Interruption | null {
    if (tier !== 'serious' || audience !== 'ring') return null;
    const retryMs = untilDayMs(zone, this.clock.now());
    return retryMs > 0 ? { why: 'night', retryMs } : null;
  }

  private async push(run: BatchRun): Promise<Interruption | null> {
    const { lease } = run;
    const targets = await this.targets(run);
    const pushes = new Pushes(lease, isNight(lease.zone, this.clock.now()), this.env.PUBLIC_URL);
    // Made a chunk at a time: what lives long enough to be moved by the garbage collector costs most.
    const compose = (indexes: readonly number[]) => {
      const references = this.references.encodeAll(lease.batchId, indexes);
      return indexes.map((index, n) => pushes.to(targets.get(index) as PushTarget, references[n] as string));
    };
    const asked = [...targets.keys()];
    for (let from = 0; from < asked.length;) {
      const chunk = await this.pushChunk(run, asked.slice(from, from + this.pacer.chunk), compose);
      if (chunk.interruption) return chunk.interruption;
      from += chunk.pushed;
    }
    return null;
  }

  /** Those to be asked, by their places. Who has left since the snapshot is not. */
  private async targets({ lease, results }: BatchRun): Promise<ReadonlyMap<number, PushTarget>> {
    const pending = results.pending();
    const asked = pending.map((index) => lease.ids[index] as number);
    const found = await outlast(OUTLAST_MS, () => this.devices.targets(asked));
    const byId = new Map(found.map((target) => [target.id, target]));
    const targets = new Map<number, PushTarget>();
    for (const index of pending) {
      const target = byId.get(lease.ids[index] as number);
      if (target) targets.set(index, target);
      else results.record(index, 'unregistered');
    }
    return targets;
  }

  /** Pushes to as many of the next ones as there is room for. */
  private async pushChunk(
    run: BatchRun,
    next: readonly number[],
    compose: (indexes: readonly number[]) => PushMessage[],
  ): Promise<{ readonly pushed: number; readonly interruption: Interruption | null }> {
    const room = await run.step('pace', () => this.room(run.lease, next.length), next.length);
    if (!room.granted) return { pushed: 0, interruption: { why: 'no_room', retryMs: room.retryMs } };
    const indexes = next.slice(0, room.messages);
    return { pushed: indexes.length, interruption: await this.pushInRoom(run, indexes, compose, room) };
  }

  private async pushInRoom(
    run: BatchRun,
    indexes: readonly number[],
    compose: (indexes: readonly number[]) => PushMessage[],
    room: GrantedRoom,
  ): Promise<Interruption | null> {
    const { lease, results } = run;
    // Before the ledger takes them for begun: what cannot be made was certainly not sent.
    const messages = compose(indexes);
    const before = results.toString();
    results.begin(indexes);
    const alertEpoch = await outlast(OUTLAST_MS, () => this.batches.checkpoint(lease, results.toString(), run.pushed));
    if (alertEpoch === null) return { why: 'lost' };
    if (alertEpoch !== lease.alertEpoch) {
      results.restore(before);
      return { why: 'overtaken' };
    }
    const chunk = await run.step('push', () => this.pushWatched(run, indexes, messages), messages.length);
    if (!chunk) return { why: 'overtaken' };
    const awayMs = await this.report(room, chunk);
    return awayMs > 0 && chunk.failed > 0 ? { why: 'away', retryMs: awayMs } : refusedAtLarge(chunk);
  }

  /** @returns null when the alert was overtaken while the answers were awaited: what was not on the wire yet is withdrawn */
  private async pushWatched(
    run: BatchRun,
    indexes: readonly number[],
    messages: readonly PushMessage[],
  ): Promise<Chunk | null> {
    const overtaken = new AbortController();
    const watch = setInterval(() => void this.watch(run.lease, overtaken), WATCH_MS);
    const sentAt = performance.now();
    try {
      const outcomes = await this.gateway.send(run.lease.mode, messages, overtaken.signal);
      const chunk = run.record(indexes, messages, outcomes);
      this.count(run, outcomes, sentAt);
      return overtaken.signal.aborted ? null : chunk;
    } finally {
      clearInterval(watch);
    }
  }

  private count(run: BatchRun, outcomes: readonly PushOutcome[], sentAt: number): void {
    this.metrics.answered(outcomes, performance.now() - sentAt);
    const firstMs = run.firstPushMs();
    if (firstMs !== null) this.metrics.firstPush(run.lease.audience, firstMs);
  }

  private async watch(lease: Lease, overtaken: AbortController): Promise<void> {
    try {
      if ((await this.batches.alertEpoch(lease.alertId)) !== lease.alertEpoch) overtaken.abort();
    } catch (error) {
      this.logger.warn({ err: error as Error, batchId: lease.batchId }, 'an alert’s epoch could not be read');
    }
  }

  private async room({ alertId, audience, waveId, band, batchId, kind }: Lease, messages: number): Promise<Room> {
    if (this.draining) return { granted: false, retryMs: 0 };
    const { provider } = this.gateway;
    const weight = asks(kind) ? 1 : ENDING_WEIGHT;
    try {
      return await this.pacer.take({
        provider,
        messages,
        flow: `${alertId}:${audience}`,
        weight,
        waveId,
        band,
        batchId,
      });
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the pacer cannot be asked');
      return { granted: false, retryMs: NO_PACER_MS };
    }
  }

  /** @returns milliseconds for which everybody stays away */
  private async report(room: GrantedRoom, chunk: Chunk): Promise<number> {
    try {
      return await this.pacer.report(this.gateway.provider, { ...chunk, room });
    } catch (error) {
      this.logger.warn({ err: error as Error }, 'the pacer cannot be told');
      return 0;
    }
  }

  private async renew(lease: Lease): Promise<void> {
    try {
      await this.batches.renew(lease);
    } catch (error) {
      this.logger.warn({ err: error as Error, batchId: lease.batchId }, 'a lease could not be renewed');
    }
  }

  /** The work itself throws: the batch is tried a few times more, and then set aside for somebody to look at. */
  private async fault({ lease, results, dead, pushed }: BatchRun, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.name : 'unknown';
    await outlast(OUTLAST_MS, () => this.ledger.fault(lease, { results, dead, pushed, reason }));
  }

  private async settle(run: BatchRun, interruption: Interruption | null): Promise<boolean> {
    const { lease, results, dead, pushed } = run;
    const retryMs = retryDelay(run, interruption);
    const tried = interruption === null || interruption.why === 'refused' || interruption.why === 'away';
    const leaving = { results, dead, pushed, tried, retryMs };
    const held = await run.step('settle', () => outlast(OUTLAST_MS, () => this.ledger.settle(lease, leaving)));
    const { batchId, alertId, epoch } = lease;
    if (run.codes.size > 0)
      this.logger.warn({ batchId, alertId, codes: Object.fromEntries(run.codes) }, 'not accepted');
    if (!held) this.logger.warn({ batchId, alertId, epoch }, 'the lease was lost before settling');
    return held;
  }
}

/**
 * No room is nobody's failure, nor is the night: come back when it is over, or when the breaker lets somebody try; what was
 * overtaken goes on at once. Else full jitter over the upper half, so that workers which failed together do not come back together.
 */
function retryDelay({ lease, retryMs }: BatchRun, interruption: Interruption | null): number {
  if (interruption?.why === 'overtaken') return 0;
  const waits = interruption && 'retryMs' in interruption && interruption.why !== 'refused';
  if (waits) return Math.max(interruption.retryMs, retryMs);
  const longest = interruption?.why === 'refused' ? REFUSED_MAX_MS : RETRY_MAX_MS;
  const ceiling = Math.min(longest, RETRY_BASE_MS * 2 ** (lease.attempt - 1));
  const askedMs = interruption?.why === 'refused' ? interruption.retryMs : retryMs;
  return Math.max(askedMs, ceiling / 2 + (Math.random() * ceiling) / 2);
}
