import { Injectable } from '@nestjs/common';
import { networkOf, type RateLimit, RateLimits, Refusal } from '#platform';
import type { AudienceRefusal } from './audience.errors.ts';

/** Registrations from one address in an hour: a school or an office behind one address gets through, a flood does not. */
const PER_HOUR = 300;

@Injectable()
export class RegistrationLimiter {
  private readonly limit: RateLimit;

  constructor(limits: RateLimits) {
    this.limit = limits.of({ name: 'registrations', points: PER_HOUR, windowS: 3600 });
  }

  /** @throws Refusal `too_many_registrations` with `retryAfter`, in seconds */
  async consume(address: string): Promise<void> {
    const retryAfter = await this.limit.consume(networkOf(address));
    if (retryAfter === null) return;
    throw new Refusal<AudienceRefusal>('too_many_registrations', 'Too many devices registered from here. Try later.', {
      retryAfter,
    });
  }
}
