import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { networkOf, RateLimit, REDIS, Refusal } from '#platform';
import type { SightingRefusal } from './sightings.errors.ts';

/** Tips that one source may give in ten minutes: a crowd behind one address gets through, a machine does not. */
export const TIPS_PER_WINDOW = 30;
const WINDOW_S = 600;

/** Who gives a tip, as far as it bears on how many: an app's recipient, else a network address. */
export type TipSource = { readonly recipient: string } | { readonly address: string };

@Injectable()
export class TipLimiter {
  private readonly limit: RateLimit;

  constructor(@Inject(REDIS) redis: Redis) {
    this.limit = new RateLimit(redis, { name: 'tips', points: TIPS_PER_WINDOW, windowS: WINDOW_S });
  }

  /** @throws Refusal `too_many_sightings` with `retryAfter`, in seconds */
  async consume(source: TipSource): Promise<void> {
    const retryAfter = await this.limit.consume(keyOf(source));
    if (retryAfter === null) return;
    throw new Refusal<SightingRefusal>(
      'too_many_sightings',
      'Too many sightings came from here in the last minutes. Call the number on the alert.',
      { retryAfter },
    );
  }
}

const keyOf = (source: TipSource) =>
  'recipient' in source ? `recipient:${source.recipient}` : `address:${networkOf(source.address)}`;
