import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Keys } from './keys.ts';
import { LocalCounts } from './local-counts.ts';
import { REDIS } from './redis.ts';

export interface RateLimitOptions {
  /** Distinguishes this limit's counters from every other's. */
  readonly name: string;
  readonly points: number;
  readonly windowS: number;
  /** How long a key stays blocked once over; 0 is until its window ends. */
  readonly blockS?: number;
  /**
   * Of the points, how many each process counts by itself before it asks Redis, which costs some 45 µs: for limits that are
   * there for the few, on routes that the many use. Whoever comes by several processes may get that many more from each.
   */
  readonly calm?: number;
}

/** Makes limits that count in Redis for all processes together and, while Redis is away, in each for itself: none fails open. */
@Injectable()
export class RateLimits {
  constructor(
    @Inject(REDIS) private readonly redis: Redis,
    private readonly keys: Keys,
  ) {}

  of(options: RateLimitOptions): RateLimit {
    return new RateLimit(this.redis, this.keys, options);
  }
}

/** One limit. Its keys are MACed: who reads Redis learns no address and no login, not even by trying all of them. */
export class RateLimit {
  private readonly limiter: RateLimiterRedis;
  private readonly local: LocalCounts;
  private readonly calm: number;

  constructor(
    redis: Redis,
    private readonly keys: Keys,
    { name, points, windowS, blockS = 0, calm = 0 }: RateLimitOptions,
  ) {
    this.calm = calm;
    this.local = new LocalCounts(windowS * 1000);
    const limit = { keyPrefix: name, points, duration: windowS, blockDuration: blockS };
    const insuranceLimiter = new RateLimiterMemory(limit);
    this.limiter = new RateLimiterRedis({
      ...limit,
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter,
    });
  }

  /** Takes one point. @returns null when there was one, else the whole seconds to wait. */
  async consume(key: string): Promise<number | null> {
    return this.calm === 0 ? this.ask(key, 1) : this.consumeCalmly(key);
  }

  private async consumeCalmly(key: string): Promise<number | null> {
    const blockedMs = this.local.blockedFor(key);
    if (blockedMs > 0) return Math.ceil(blockedMs / 1000);
    const count = this.local.add(key);
    if (count <= this.calm) return null;
    // What was not told so far is told at once.
    const retryAfterS = await this.ask(key, count === this.calm + 1 ? count : 1);
    if (retryAfterS !== null) this.local.block(key, retryAfterS * 1000);
    return retryAfterS;
  }

  private async ask(key: string, points: number): Promise<number | null> {
    try {
      await this.limiter.consume(this.counterOf(key), points);
      return null;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    }
  }

  /** Gives a point back. */
  async reward(key: string): Promise<void> {
    await this.limiter.reward(this.counterOf(key));
  }

  async reset(key: string): Promise<void> {
    await this.limiter.delete(this.counterOf(key));
  }

  private counterOf(key: string): string {
    return this.keys.mac('rate-limit', key, 16).toString('base64url');
  }
}
