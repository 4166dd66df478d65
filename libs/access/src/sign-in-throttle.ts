import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { REDIS, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';

/**
 * Failed attempts allowed. `pair` is one login from one address. `login` counts a login from everywhere, and its block is
 * short; an address from which that login once signed in is exempt from it, so that nobody's guessing elsewhere locks a
 * colleague out. `address` counts all logins of one address. Seconds.
 */
export const SIGN_IN_LIMITS = {
  pair: { points: 5, duration: 900, blockDuration: 900 },
  login: { points: 30, duration: 600, blockDuration: 60 },
  address: { points: 100, duration: 900, blockDuration: 0 },
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
  private readonly pairs: RateLimiterRedis;
  private readonly logins: RateLimiterRedis;
  private readonly addresses: RateLimiterRedis;

  constructor(@Inject(REDIS) private readonly redis: Redis) {
    this.pairs = limiter(redis, 'pair');
    this.logins = limiter(redis, 'login');
    this.addresses = limiter(redis, 'address');
  }

  /** @throws Refusal `too_many_attempts` with `retryAfter` in seconds. */
  async admit(login: string, address: string): Promise<Attempt> {
    const who = digest(login.toLowerCase());
    const network = digest(networkOf(address));
    const pair = `${who}:${network}`;
    await consume(this.pairs, pair);
    await consume(this.addresses, network);
    const known = await this.isKnown(pair);
    if (!known) await consume(this.logins, who);
    return {
      succeeded: async () => {
        await Promise.all([this.pairs.delete(pair), this.addresses.reward(network), this.remember(pair)]);
        if (!known) await this.logins.reward(who);
      },
    };
  }

  /** Redis forgetting or failing makes an address unknown, which only makes us stricter. */
  private async isKnown(pair: string): Promise<boolean> {
    return (await this.redis.exists(knownKey(pair)).catch(() => 0)) === 1;
  }

  private async remember(pair: string): Promise<void> {
    await this.redis.set(knownKey(pair), 1, 'EX', KNOWN_S).catch(() => null);
  }
}

const knownKey = (pair: string) => `sign-in:known:${pair}`;

function limiter(redis: Redis, name: keyof typeof SIGN_IN_LIMITS): RateLimiterRedis {
  const options = { keyPrefix: `sign-in:${name}`, ...SIGN_IN_LIMITS[name] };
  const insuranceLimiter = new RateLimiterMemory(options);
  return new RateLimiterRedis({ storeClient: redis, rejectIfRedisNotReady: true, insuranceLimiter, ...options });
}

async function consume(counter: RateLimiterRedis, key: string): Promise<void> {
  try {
    await counter.consume(key);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    const retryAfter = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    const detail = 'Too many failed attempts. Wait before you try again.';
    throw new Refusal<AccessRefusal>('too_many_attempts', detail, { retryAfter });
  }
}

/** Keeps logins and addresses themselves out of Redis, and keys short. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** An IPv4 address, or the /64 of an IPv6 one: a subscriber has at least that many to choose from (RFC 6177). */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head.split(':').filter(Boolean);
  const last = tail?.split(':').filter(Boolean) ?? [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - last.length;
  return [...groups, ...Array<string>(zeros).fill('0'), ...last]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
