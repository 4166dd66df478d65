import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Keys, networkOf, type RateLimit, RateLimits, REDIS, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';

/**
 * Failed attempts allowed. `pair` is one login from one address. `login` counts a login from everywhere, and its block is
 * short; an address from which that login once signed in is exempt from it, so that nobody's guessing elsewhere locks a
 * colleague out. `address` counts all logins of one address. Seconds.
 */
export const SIGN_IN_LIMITS = {
  pair: { points: 5, windowS: 900, blockS: 900 },
  login: { points: 30, windowS: 600, blockS: 60 },
  address: { points: 100, windowS: 900, blockS: 0 },
} as const;

/** How long an address stays known for a login. */
const KNOWN_S = 30 * 24 * 60 * 60;

/** An admitted attempt: counted as failed until it is told otherwise. */
export interface Attempt {
  succeeded(): Promise<void>;
}

/** Counts failed sign-ins in Redis, and in this process's memory while Redis is away. */
@Injectable()
export class SignInThrottle {
  private readonly pairs: RateLimit;
  private readonly logins: RateLimit;
  private readonly addresses: RateLimit;

  constructor(
    limits: RateLimits,
    private readonly keys: Keys,
    @Inject(REDIS) private readonly redis: Redis,
  ) {
    this.pairs = limits.of({ name: 'sign-in:pair', ...SIGN_IN_LIMITS.pair });
    this.logins = limits.of({ name: 'sign-in:login', ...SIGN_IN_LIMITS.login });
    this.addresses = limits.of({ name: 'sign-in:address', ...SIGN_IN_LIMITS.address });
  }

  /** @throws Refusal `too_many_attempts` with `retryAfter` in seconds. */
  async admit(login: string, address: string): Promise<Attempt> {
    const who = login.toLowerCase();
    const network = networkOf(address);
    const pair = `${who}:${network}`;
    await consume(this.pairs, pair);
    await consume(this.addresses, network);
    const known = await this.isKnown(pair);
    if (!known) await consume(this.logins, who);
    return {
      succeeded: async () => {
        await Promise.all([this.pairs.reset(pair), this.addresses.reward(network), this.remember(pair)]);
        if (!known) await this.logins.reward(who);
      },
    };
  }

  /** Redis forgetting or failing makes an address unknown, which only makes us stricter. */
  private async isKnown(pair: string): Promise<boolean> {
    return (await this.redis.exists(this.knownKey(pair)).catch(() => 0)) === 1;
  }

  private async remember(pair: string): Promise<void> {
    await this.redis.set(this.knownKey(pair), 1, 'EX', KNOWN_S).catch(() => null);
  }

  private knownKey(pair: string): string {
    return `sign-in:known:${this.keys.mac('rate-limit', pair, 16).toString('base64url')}`;
  }
}

async function consume(limit: RateLimit, key: string): Promise<void> {
  const retryAfter = await limit.consume(key);
  if (retryAfter === null) return;
  const detail = 'Too many failed attempts. Wait before you try again.';
  throw new Refusal<AccessRefusal>('too_many_attempts', detail, { retryAfter });
}
