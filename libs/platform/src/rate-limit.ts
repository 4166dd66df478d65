import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface RateLimitOptions {
  /** Distinguishes this limit's counters from every other's. */
  readonly name: string;
  readonly points: number;
  readonly windowS: number;
  /** How long a key stays blocked once over; 0 is until its window ends. */
  readonly blockS?: number;
}

/**
 * Counts in Redis for all processes together and, while Redis is away, in each for itself: a limit never fails open. Keys are
 * hashed, so that no address or login stands in Redis.
 */
export class RateLimit {
  private readonly limiter: RateLimiterRedis;

  constructor(redis: Redis, { name, points, windowS, blockS = 0 }: RateLimitOptions) {
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
    try {
      await this.limiter.consume(digest(key));
      return null;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      return Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    }
  }

  /** Gives a point back. */
  async reward(key: string): Promise<void> {
    await this.limiter.reward(digest(key));
  }

  async reset(key: string): Promise<void> {
    await this.limiter.delete(digest(key));
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
