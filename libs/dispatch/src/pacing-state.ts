import type { Redis } from 'ioredis';
import type { Provider } from '#push';
import { IDLE_MS, type Pacing } from './pacing.ts';

/** Redis's clock is every worker's. */
const LOOK = `local t = redis.call('TIME') local now = t[1] .. '.' .. string.format('%06d', t[2])
local stored = redis.call('GET', KEYS[1])`;

const READ = `${LOOK} return { now, stored }`;

/** Writes where nobody has changed it meanwhile; else says what it is now. */
const SWAP = `${LOOK} if (stored or '') ~= ARGV[1] then return { now, stored or '', 0 } end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return { now, ARGV[2], 1 }`;

/** For so long what this process heard last is worth a guess: Redis's clock may be set meanwhile, and others go on. */
const FRESH_MS = 1_000;

/** Others change it a few hundred times a second at most, a fraction of a millisecond each. */
const TRIES = 50;

/** What was heard of it, by this process's own clock. */
interface Heard {
  readonly stored: string | null;
  readonly at: number;
  /** How far Redis's clock is ahead of this process's. */
  readonly aheadMs: number;
}

/**
 * A provider's pacing in Redis, changed by pure functions: what a function makes of it, and of Redis's time, is written only where
 * nobody has changed it meanwhile; else the function is asked again. So there is no second form of the rules in Lua. Whoever was
 * the last to change it guesses that it is so still, and saves a question.
 */
export class PacingState {
  private readonly key: string;
  /** One change at a time from this process: they would only undo each other's tries. */
  private turn: Promise<unknown> = Promise.resolve();
  private heard: Heard | undefined;

  constructor(
    private readonly redis: Redis,
    provider: Provider,
  ) {
    this.key = `pacing:${provider}`;
  }

  async read(): Promise<{ readonly now: number; readonly pacing: Pacing | null }> {
    const heard = await this.fetch();
    return { now: nowOf(heard), pacing: parse(heard.stored) };
  }

  /** @throws Error when Redis cannot be asked */
  change<Result>(
    decide: (pacing: Pacing | null, now: number) => { readonly pacing: Pacing; readonly result: Result },
  ): Promise<Result> {
    const changed = this.turn.then(() => this.changeNow(decide));
    this.turn = changed.catch(() => undefined);
    return changed;
  }

  private async changeNow<Result>(
    decide: (pacing: Pacing | null, now: number) => { readonly pacing: Pacing; readonly result: Result },
  ): Promise<Result> {
    for (let tries = 0; tries < TRIES; tries++) {
      const heard = this.guess() ?? (await this.fetch());
      const { pacing, result } = decide(parse(heard.stored), nowOf(heard));
      const next = JSON.stringify(pacing);
      if (await this.swap(heard.stored, next)) return result;
    }
    throw new Error('the pacing changes too fast');
  }

  private guess(): Heard | undefined {
    if (!this.heard) return undefined;
    const ageMs = performance.now() - this.heard.at;
    return ageMs >= 0 && ageMs < FRESH_MS ? this.heard : undefined;
  }

  private async fetch(): Promise<Heard> {
    const [seconds, stored] = (await this.redis.eval(READ, 1, this.key)) as [string, string | null];
    return this.hear(seconds, stored);
  }

  /** @returns whether it was as it was thought to be, and is `next` now */
  private async swap(stored: string | null, next: string): Promise<boolean> {
    const asked = this.redis.eval(SWAP, 1, this.key, stored ?? '', next, IDLE_MS * 2);
    const [seconds, found, swapped] = (await asked) as [string, string, number];
    this.hear(seconds, found === '' ? null : found);
    return swapped === 1;
  }

  private hear(seconds: string, stored: string | null): Heard {
    const at = performance.now();
    this.heard = { stored, at, aheadMs: Number(seconds) * 1000 - at };
    return this.heard;
  }
}

function nowOf({ aheadMs }: Heard): number {
  return performance.now() + aheadMs;
}

function parse(stored: string | null): Pacing | null {
  return stored === null ? null : (JSON.parse(stored) as Pacing);
}
