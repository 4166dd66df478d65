import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Keys, networkOf, type RateLimit, RateLimits, REDIS, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';

/**
 * Failed attempts allowed. `pair` is one login from one place: a browser in which that login once signed in, else a network.
 * `login` counts a login from everywhere, and its block is short; `address` counts all logins of one network. A place from
 * which that login once signed in is exempt from `login`, and such a browser from `address` too: nobody's guessing locks a
 * colleague out, not even from the desk beside theirs. `code` counts wrong codes after the right password, from places that
 * are not known: of the million codes three are right at any time. Seconds.
 */
export const SIGN_IN_LIMITS = {
  pair: { points: 5, windowS: 900, blockS: 900 },
  login: { points: 30, windowS: 600, blockS: 60 },
  address: { points: 100, windowS: 900, blockS: 0 },
  code: { points: 10, windowS: 24 * 60 * 60, blockS: 0 },
} as const;

/** How long a place stays known for a login. */
const KNOWN_S = 30 * 24 * 60 * 60;

/** Where an attempt comes from. */
export interface Client {
  /** The network address: throttled by, not kept. */
  readonly address: string;
  /** The random name this browser was given at an earlier sign-in, if it sent one. */
  readonly browser?: string | undefined;
}

/** An admitted attempt: counted as failed until it is told otherwise. */
export interface Attempt {
  /** Counts a try of a code. @throws Refusal `too_many_attempts` */
  code(): Promise<void>;
  succeeded(): Promise<void>;
}

/** Counts failed sign-ins in Redis, and in this process's memory while Redis is away. */
@Injectable()
export class SignInThrottle {
  private readonly pairs: RateLimit;
  private readonly logins: RateLimit;
  private readonly addresses: RateLimit;
  private readonly codes: RateLimit;

  constructor(
    limits: RateLimits,
    private readonly keys: Keys,
    @Inject(REDIS) private readonly redis: Redis,
  ) {
    this.pairs = limits.of({ name: 'sign-in:pair', ...SIGN_IN_LIMITS.pair });
    this.logins = limits.of({ name: 'sign-in:login', ...SIGN_IN_LIMITS.login });
    this.addresses = limits.of({ name: 'sign-in:address', ...SIGN_IN_LIMITS.address });
    this.codes = limits.of({ name: 'sign-in:code', ...SIGN_IN_LIMITS.code });
  }

  /** @throws Refusal `too_many_attempts` with `retryAfter` in seconds. */
  async admit(login: string, { address, browser }: Client): Promise<Attempt> {
    const who = login.toLowerCase();
    const network = networkOf(address);
    const here = `${who}:${network}`;
    const desk = browser === undefined ? undefined : `${who}#${browser}`;
    const knownDesk = desk !== undefined && (await this.isKnown(desk));
    const pair = knownDesk ? desk : here;
    await consume(this.pairs, pair);
    if (!knownDesk) await consume(this.addresses, network);
    const known = knownDesk || (await this.isKnown(here));
    if (!known) await consume(this.logins, who);
    return {
      code: async () => {
        if (!known) await consume(this.codes, who);
      },
      succeeded: async () => {
        await Promise.all([this.pairs.reset(pair), this.remember(here), desk && this.remember(desk)]);
        if (!knownDesk) await this.addresses.reward(network);
        if (!known) await Promise.all([this.logins.reward(who), this.codes.reset(who)]);
      },
    };
  }

  /** Redis forgetting or failing makes a place unknown, which only makes us stricter. */
  private async isKnown(place: string): Promise<boolean> {
    return (await this.redis.exists(this.knownKey(place)).catch(() => 0)) === 1;
  }

  private async remember(place: string): Promise<void> {
    await this.redis.set(this.knownKey(place), 1, 'EX', KNOWN_S).catch(() => null);
  }

  private knownKey(place: string): string {
    return `sign-in:known:${this.keys.mac('rate-limit', place, 16).toString('base64url')}`;
  }
}

async function consume(limit: RateLimit, key: string): Promise<void> {
  const retryAfter = await limit.consume(key);
  if (retryAfter === null) return;
  const detail = 'Too many failed attempts. Wait before you try again.';
  throw new Refusal<AccessRefusal>('too_many_attempts', detail, { retryAfter });
}
