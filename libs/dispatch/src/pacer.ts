import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { ENV, type Env, REDIS } from '#platform';
import type { Provider } from '#push';
import { type BreakerState, PROBE_MESSAGES, type Report, stateOf } from './breaker.ts';
import { Frontier } from './frontier.ts';
import { learnAll, MAX_WAIT_MS, type Quota, outlook, reserve } from './pacing.ts';
import { PacingState } from './pacing-state.ts';

/** A batch behind others of this worker for so long is given back, so that its place comes free for another alert's. */
const MAX_TURN_MS = 1_000;

/** What asks for room: flows share it in proportion to their weight; within a flow the nearest band is first. */
export interface RoomRequest {
  readonly provider: Provider;
  readonly messages: number;
  /** One alert's asking, or its ending. */
  readonly flow: string;
  readonly weight: number;
  readonly waveId: number;
  readonly band: number;
  /** Older batches are finished first, so that a worker's places come free one by one. */
  readonly batchId: number;
}

/** Room to send so many now, which may be fewer than were asked for. */
export interface GrantedRoom {
  readonly granted: true;
  readonly messages: number;
  /** By this process's own clock. */
  readonly grantedAt: number;
}

/** Room, or how long to stay away. */
export type Room = GrantedRoom | { readonly granted: false; readonly retryMs: number };

/** What became of messages that were sent in a room: see {@link Report}. */
export type Told = Omit<Report, 'ageMs'> & { readonly room: GrantedRoom };

/** How a provider stands, for metrics. */
export interface ProviderStanding {
  readonly state: BreakerState;
  /** Messages that could be sent at once. */
  readonly room: number;
  /** The share of the quota that is used: the ramp's, or what the provider takes. */
  readonly share: number;
  /** Milliseconds until the room granted so far is used up. */
  readonly aheadMs: number;
}

interface Known {
  readonly state: PacingState;
  /** What nobody has told Redis yet, for it can wait for the next question. */
  unsaid: (Omit<Report, 'ageMs'> & { readonly grantedAt: number })[];
}

interface Waiting extends RoomRequest {
  readonly resolve: (room: Room) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares a provider's quota among all workers, starts slowly, as FCM asks, goes no faster than the provider takes and keeps
 * away while it takes nothing (ADR 19). Within a worker room goes round the flows by
 * start-time fair queueing (Goyal, Vin and Cheng, 1996), so that no child's alert waits behind another's million.
 */
@Injectable()
export class Pacer {
  private readonly waiting = new Map<Provider, Waiting[]>();
  private readonly serving = new Set<Provider>();
  /** Virtual time up to which each flow has been served. */
  private readonly served = new Map<string, number>();
  private virtualNow = 0;
  private readonly frontier = new Frontier();
  private readonly known = new Map<Provider, Known>();

  constructor(
    @Inject(REDIS) private readonly redis: Redis,
    @Inject(ENV) private readonly env: Pick<Env, 'PUSH_QUOTA_PER_MINUTE' | 'PUSH_RAMP_SECONDS'>,
  ) {}

  /** Messages worth asking room for at once: a quarter of a second's quota, at most 100. */
  get chunk(): number {
    return Math.max(1, Math.min(100, Math.floor(this.env.PUSH_QUOTA_PER_MINUTE / 240)));
  }

  /** Takes a batch in hand: pushes far beyond it wait until it is let go of, by calling what is returned. */
  enter(waveId: number, band: number): () => void {
    const leave = this.frontier.enter(waveId, band);
    return () => {
      leave();
      for (const [provider, queue] of this.waiting) void this.serve(provider, queue);
    };
  }

  /** Waits for its turn, a second unless it is next, and then for room. Rejects when Redis cannot be asked. */
  take(request: RoomRequest): Promise<Room> {
    const { promise, resolve, reject } = Promise.withResolvers<Room>();
    const queue = this.waiting.get(request.provider) ?? [];
    this.waiting.set(request.provider, queue);
    const waiting = { ...request, resolve, reject };
    queue.push(waiting);
    let turnsLeft = MAX_WAIT_MS / MAX_TURN_MS;
    const timer = setInterval(() => {
      // Who is next stays, or the room that comes would find nobody.
      if (--turnsLeft > 0 && this.next(queue) === waiting) return;
      if (remove(queue, waiting)) resolve({ granted: false, retryMs: 0 });
    }, MAX_TURN_MS);
    void this.serve(request.provider, queue);
    return promise.finally(() => clearInterval(timer));
  }

  /**
   * Tells what became of messages. What went well waits for the next question, so that it costs no round trip of its own.
   * @returns milliseconds for which everybody stays away
   */
  async report(provider: Provider, { room, ...report }: Told): Promise<number> {
    const { unsaid, state } = this.of(provider);
    unsaid.push({ ...report, grantedAt: room.grantedAt });
    if (report.failed === 0 && room.messages > PROBE_MESSAGES) return 0;
    const reports = this.takeUnsaid(provider);
    return state.change((known, now) => {
      const pacing = learnAll(known, now, reports);
      const { openedAt, probeAt } = pacing.breaker;
      return { pacing, result: openedAt > 0 ? Math.max(0, probeAt - now) : 0 };
    });
  }

  /** How a provider stands now, for all workers. @throws Error when Redis cannot be asked */
  async breakerState(provider: Provider): Promise<ProviderStanding> {
    const { now, pacing } = await this.of(provider).state.read();
    const state = pacing ? stateOf(pacing.breaker) : 'closed';
    return { state, ...outlook(pacing, now, this.quota) };
  }

  private get quota(): Quota {
    return { perSecond: this.env.PUSH_QUOTA_PER_MINUTE / 60, rampMs: this.env.PUSH_RAMP_SECONDS * 1000 };
  }

  private of(provider: Provider): Known {
    const known = this.known.get(provider) ?? { state: new PacingState(this.redis, provider), unsaid: [] };
    this.known.set(provider, known);
    return known;
  }

  private takeUnsaid(provider: Provider): Report[] {
    const known = this.of(provider);
    const reports = known.unsaid.map(({ grantedAt, ...rest }) => ({ ...rest, ageMs: performance.now() - grantedAt }));
    known.unsaid = [];
    return reports;
  }

  private async serve(provider: Provider, queue: Waiting[]): Promise<void> {
    if (this.serving.has(provider)) return;
    this.serving.add(provider);
    for (let next = this.next(queue); next; next = this.next(queue)) {
      remove(queue, next);
      try {
        next.resolve(await this.reserve(next));
      } catch (error) {
        next.reject(error);
      }
    }
    this.serving.delete(provider);
  }

  /** The flow least served so far, and of it the nearest band; nobody far beyond a nearer batch in hand. */
  private next(queue: readonly Waiting[]): Waiting | undefined {
    const start = (one: Waiting) => Math.max(this.virtualNow, this.served.get(one.flow) ?? 0);
    return queue
      .filter((one) => this.frontier.admits(one.waveId, one.band))
      .sort((a, b) => start(a) - start(b) || a.band - b.band || a.batchId - b.batchId)[0];
  }

  private async reserve({ provider, messages, flow, weight }: Waiting): Promise<Room> {
    const reports = this.takeUnsaid(provider);
    const found = await this.of(provider).state.change((known, now) => {
      const { pacing, found: result } = reserve(learnAll(known, now, reports), now, messages, this.quota);
      return { pacing, result };
    });
    if (!found.granted) return { granted: false, retryMs: Math.ceil(found.retryMs) };
    this.charge(flow, found.messages / weight);
    if (found.waitMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(found.waitMs)));
    return { granted: true, messages: found.messages, grantedAt: performance.now() };
  }

  private charge(flow: string, cost: number): void {
    const start = Math.max(this.virtualNow, this.served.get(flow) ?? 0);
    this.virtualNow = start;
    this.served.set(flow, start + cost);
    for (const [known, until] of this.served) if (until <= this.virtualNow) this.served.delete(known);
  }
}

function remove(queue: Waiting[], waiting: Waiting): boolean {
  const place = queue.indexOf(waiting);
  if (place !== -1) queue.splice(place, 1);
  return place !== -1;
}
