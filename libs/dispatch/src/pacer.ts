import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { ENV, type Env, REDIS } from '#platform';
import type { Provider } from '#push';

/** Room granted ahead of time, so that a worker's round trips do not cost throughput. */
const BURST_MS = 250;
/** FCM's ramp starts from a trickle, not from nothing: the nearest phones are asked at once. */
const RAMP_FLOOR = 0.1;
/** After this long without a push the provider has forgotten us, and the ramp starts again. */
const IDLE_MS = 300_000;
/** A worker that would wait longer than this gives its batch back instead: its lease must not run out in a queue. */
const MAX_WAIT_MS = 5_000;

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

const PAUSE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local state = redis.call('HMGET', KEYS[1], 'tat', 'since')
local tat = math.max(tonumber(state[1]) or now, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'tat', tostring(tat), 'since', state[2] or tostring(now))
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) * 2)
return 0`;

interface Waiting {
  readonly rank: number;
  readonly messages: number;
  readonly until: number;
  readonly resolve: (room: Room) => void;
  readonly reject: (error: unknown) => void;
}

/** Room to send now, or how long there will be none. */
export type Room = { readonly granted: true } | { readonly granted: false; readonly retryMs: number };

/**
 * Shares a provider's quota among all workers and starts slowly, as FCM asks. Within a worker, room goes to the lowest
 * rank first: endings, then the nearest band, whatever the order in which batches asked.
 */
@Injectable()
export class Pacer {
  private readonly waiting = new Map<Provider, Waiting[]>();
  private readonly serving = new Set<Provider>();

  constructor(
    @Inject(REDIS) private readonly redis: Redis,
    @Inject(ENV) private readonly env: Pick<Env, 'PUSH_QUOTA_PER_MINUTE' | 'PUSH_RAMP_SECONDS'>,
  ) {}

  /** Messages worth asking room for at once: a quarter of a second's quota, at most 100. */
  get chunk(): number {
    return Math.max(1, Math.min(100, Math.floor(this.env.PUSH_QUOTA_PER_MINUTE / 240)));
  }

  /** Waits for room for `messages`; smaller ranks are served first. Rejects when Redis cannot be asked. */
  take(provider: Provider, messages: number, rank: number): Promise<Room> {
    const { promise, resolve, reject } = Promise.withResolvers<Room>();
    const queue = this.waiting.get(provider) ?? [];
    this.waiting.set(provider, queue);
    const place = queue.findIndex((other) => other.rank > rank);
    const waiting = { rank, messages, until: Date.now() + MAX_WAIT_MS, resolve, reject };
    queue.splice(place === -1 ? queue.length : place, 0, waiting);
    void this.serve(provider, queue);
    return promise;
  }

  /** The provider asked for a pause (Retry-After): every worker keeps it. */
  async pause(provider: Provider, ms: number): Promise<void> {
    await this.redis.eval(PAUSE, 1, keyOf(provider), ms, IDLE_MS);
  }

  private async serve(provider: Provider, queue: Waiting[]): Promise<void> {
    if (this.serving.has(provider)) return;
    this.serving.add(provider);
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        next.resolve(await this.reserve(provider, next));
      } catch (error) {
        next.reject(error);
      }
    }
    this.serving.delete(provider);
  }

  private async reserve(provider: Provider, { messages, until }: Waiting): Promise<Room> {
    const patience = Math.max(0, until - Date.now());
    const perSecond = this.env.PUSH_QUOTA_PER_MINUTE / 60;
    const rampMs = this.env.PUSH_RAMP_SECONDS * 1000;
    const answer = await this.redis.eval(
      RESERVE,
      1,
      keyOf(provider),
      messages,
      perSecond,
      rampMs,
      patience,
      RAMP_FLOOR,
      IDLE_MS,
    );
    const wait = Number(answer);
    if (wait < 0) return { granted: false, retryMs: -wait };
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    return { granted: true };
  }
}

const keyOf = (provider: Provider) => `pacer:${provider}`;
