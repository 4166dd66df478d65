import { Injectable } from '@nestjs/common';
import { networkOf, type RateLimit, RateLimits, Refusal } from '#platform';
import type { EngagementRefusal } from './engagement.errors.ts';

/** Links under links that one address may make in ten minutes: a school behind one address gets through, a machine does not. */
export const FORWARDS_PER_WINDOW = 300;
const WINDOW_S = 600;

/** Bounds links made from a link, which anybody can ask for; a recipient's own link is one, however often asked for. */
@Injectable()
export class ForwardLimiter {
  private readonly limit: RateLimit;

  constructor(limits: RateLimits) {
    this.limit = limits.of({ name: 'forwards', points: FORWARDS_PER_WINDOW, windowS: WINDOW_S });
  }

  /** @throws Refusal `too_many_forwards` with `retryAfter`, in seconds */
  async consume(address: string): Promise<void> {
    const retryAfter = await this.limit.consume(networkOf(address));
    if (retryAfter === null) return;
    const detail = 'Too many links were made from here in the last minutes. Send on the link itself.';
    throw new Refusal<EngagementRefusal>('too_many_forwards', detail, { retryAfter });
  }
}
