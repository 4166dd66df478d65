import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { ENV, type Env, REDIS } from '#platform';
import type { Provider } from '#push';
import { Frontier } from './frontier.ts';

/** Room granted ahead of time, so that a worker's round trips do not cost throughput. */
const BURST_MS = 250;
/** FCM's ramp starts from a trickle, not from nothing: the nearest phones are asked at once. */
const RAMP_FLOOR = 0.1;
/** After this long without a push the provider has forgotten us, and the ramp starts again. */
const IDLE_MS = 300_000;
/** Room that the quota gives later than this is not waited for. */
const MAX_WAIT_MS = 5_000;
/** A batch behind others of this worker for so long is given back, so that its place comes free for another alert's. */
const MAX_TURN_MS = 1_000;
/** Nobody knows for longer than this that a provider is away: then somebody has to try. */
const MAX_PAUSE_MS = 30_000;
/** A refusal so soon after a pause says that it was too short: the next one is twice as long. */
const RELAPSE_MS = 5_000;

/**
 * A generic cell rate algorithm: `tat` is when the room granted so far will have been used up at the quota. One state in
 * Redis for all workers, on Redis's clock. Without state the ramp starts at its bottom.
 * Returns the milliseconds to wait for the room just granted, or minus the wait when it is longer than allowed
 * and nothing was granted.
 */
const RESERVE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local state = redis.call('HMGET', KEYS[1], 'tat', 'since')
local tat, since = tonumber(state[1]), tonumber(state[2])
if not tat or now - tat > tonumber(ARGV[6]) then tat, since = now, now end
local ramp = tonumber(ARGV[3])
local share = ramp > 0 and math.max(tonumber(ARGV[5]), math.min(1, (now - since) / ramp)) or 1
local cost = tonumber(ARGV[1]) * 1000 / (tonumber(ARGV[2]) * share)
tat = math.max(tat, now)
local wait = math.max(0, tat - now - ${BURST_MS})
if wait > tonumber(ARGV[4]) then return -math.ceil(wait) end
redis.call('HSET', KEYS[1], 'tat', tostring(tat + cost), 'since', tostring(since))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[6]) * 2)
return math.ceil(wait)`;

/** What is refused during a pause was under way when it began and does not double it. Returns the pause's milliseconds. */
const PAUSE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local state = redis.call('HMGET', KEYS[1], 'tat', 'since', 'resume', 'paused')
local resume, pause = tonumber(state[3]) or 0, tonumber(state[4]) or 0
if now >= resume then
  pause = now < resume + ${RELAPSE_MS} and math.max(pause * 2, tonumber(ARGV[1])) or tonumber(ARGV[1])
else
  pause = math.max(pause, tonumber(ARGV[1]))
end
pause = math.min(pause, ${MAX_PAUSE_MS})
if now >= resume or now + tonumber(ARGV[1]) > resume then resume = now + math.min(pause, ${MAX_PAUSE_MS}) end
local tat = math.max(tonumber(state[1]) or now, resume)
redis.call('HSET', KEYS[1], 'tat', tostring(tat), 'since', state[2] or tostring(now), 'resume', tostring(resume), 'paused', tostring(pause))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 2)
return math.ceil(resume - now)`;

/** Returns the state's `tat`, `since` and `resume` in milliseconds from now, each empty where there is none. */
const STANDING = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local standing = {}
for place, value in ipairs(redis.call('HMGET', KEYS[1], 'tat', 'since', 'resume')) do
  standing[place] = value and tostring(tonumber(value) - now) or ''
end
return standing`;

/** How a provider stands, for metrics. */
export interface ProviderStanding {
  /** Open: it refuses, and everybody keeps away. */
  readonly state: 'closed' | 'open' | 'probing';
  /** Messages that could be sent at once. */
  readonly room: number;
}

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

/** Room to send now, or how long to stay away. */
export type Room = { readonly granted: true } | { readonly granted: false; readonly retryMs: number };

interface Waiting extends RoomRequest {
  readonly resolve: (room: Room) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares a provider's quota among all workers and starts slowly, as FCM asks. Within a worker room goes round the flows by
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
   * The provider refuses: every worker keeps away, twice as long each time that it refuses again, for half a minute at the most.
   * @param ms what it asked for (Retry-After), or the least
   * @returns milliseconds until somebody may try
   */
  async pause(provider: Provider, ms: number): Promise<number> {
    return Number(await this.redis.eval(PAUSE, 1, keyOf(provider), Math.min(ms, MAX_PAUSE_MS), IDLE_MS));
  }

  /** How a provider stands now, for all workers. @throws Error when Redis cannot be asked */
  async breakerState(provider: Provider): Promise<ProviderStanding> {
    const answer = (await this.redis.eval(STANDING, 1, keyOf(provider))) as string[];
    const [aheadMs = 0, sinceMs = 0, resumeMs = 0] = answer.map((text) => (text === '' ? undefined : Number(text)));
    if (resumeMs > 0) return { state: 'open', room: 0 };
    const rampMs = this.env.PUSH_RAMP_SECONDS * 1000;
    const ramped = -aheadMs > IDLE_MS ? 0 : -sinceMs / rampMs;
    const share = rampMs > 0 ? Math.max(RAMP_FLOOR, Math.min(1, ramped)) : 1;
    const leftMs = Math.max(0, BURST_MS - Math.max(0, aheadMs));
    return { state: 'closed', room: Math.floor((leftMs * share * this.env.PUSH_QUOTA_PER_MINUTE) / 60_000) };
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
    const perSecond = this.env.PUSH_QUOTA_PER_MINUTE / 60;
    const rampMs = this.env.PUSH_RAMP_SECONDS * 1000;
    const limits = [perSecond, rampMs, MAX_WAIT_MS, RAMP_FLOOR, IDLE_MS];
    const wait = Number(await this.redis.eval(RESERVE, 1, keyOf(provider), messages, ...limits));
    if (wait < 0) return { granted: false, retryMs: -wait };
    this.charge(flow, messages / weight);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return { granted: true };
  }

  private charge(flow: string, cost: number): void {
    const start = Math.max(this.virtualNow, this.served.get(flow) ?? 0);
    this.virtualNow = start;
    this.served.set(flow, start + cost);
    for (const [known, until] of this.served) if (until <= this.virtualNow) this.served.delete(known);
  }
}

const keyOf = (provider: Provider) => `pacer:${provider}`;

function remove(queue: Waiting[], waiting: Waiting): boolean {
  const place = queue.indexOf(waiting);
  if (place !== -1) queue.splice(place, 1);
  return place !== -1;
}
