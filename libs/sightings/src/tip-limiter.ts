import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { REDIS, Refusal } from '#platform';
import type { SightingRefusal } from './sightings.errors.ts';

/** Tips that one source may give in {@link WINDOW_S}: a crowd behind one address gets through, a machine does not. */
export const TIPS_PER_WINDOW = 30;
const WINDOW_S = 600;

/** Who gives a tip, as far as it bears on how many: an app's recipient, else a network address. */
export type TipSource = { readonly recipient: string } | { readonly address: string };

/** Counts in Redis for all processes together and, while Redis is away, in each for itself. */
@Injectable()
export class TipLimiter {
  private readonly limiter: RateLimiterRedis;

  constructor(@Inject(REDIS) redis: Redis) {
    const limit = { keyPrefix: 'tips', points: TIPS_PER_WINDOW, duration: WINDOW_S };
    this.limiter = new RateLimiterRedis({
      ...limit,
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: new RateLimiterMemory(limit),
    });
  }

  /** @throws Refusal `too_many_sightings` with `retryAfter`, in seconds */
  async consume(source: TipSource): Promise<void> {
    try {
      await this.limiter.consume(keyOf(source));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new Refusal<SightingRefusal>(
        'too_many_sightings',
        'Too many sightings came from here in the last minutes. Call the number on the alert.',
        { retryAfter: Math.max(1, Math.ceil(error.msBeforeNext / 1000)) },
      );
    }
  }
}

/** Keeps addresses themselves out of Redis. */
function keyOf(source: TipSource): string {
  const [kind, value] = 'recipient' in source ? ['recipient', source.recipient] : ['address', source.address];
  return `${kind}:${createHash('sha256').update(value).digest('base64url').slice(0, 22)}`;
}
