import type { Redis } from 'ioredis';
import type { Provider } from '#push';
import { IDLE_MS, type Pacing } from './pacing.ts';

/** Redis's clock is every worker's. */
const READ = `local t = redis.call('TIME') return { t[1] .. '.' .. string.format('%06d', t[2]), redis.call('GET', KEYS[1]) }`;

const WRITE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** Others change it a few hundred times a second at most, a fraction of a millisecond each. */
const TRIES = 50;

/**
 * A provider's pacing in Redis, changed by pure functions: it is read with Redis's time, and what a function makes of it is
 * written only where nobody has changed it meanwhile; else the function is asked again. So there is no second form of the rules in Lua.
 */
export class PacingState {
  private readonly key: string;
  /** One change at a time from this process: they would only undo each other's tries. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly redis: Redis,
    provider: Provider,
  ) {
    this.key = `pacing:${provider}`;
  }

  async read(): Promise<{ readonly now: number; readonly pacing: Pacing | null }> {
    const { now, stored } = await this.fetch();
    return { now, pacing: parse(stored) };
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
      const { now, stored } = await this.fetch();
      const { pacing, result } = decide(parse(stored), now);
      const next = JSON.stringify(pacing);
      if (next === stored) return result;
      if ((await this.redis.eval(WRITE, 1, this.key, stored ?? '', next, IDLE_MS * 2)) === 1) return result;
    }
    throw new Error('the pacing changes too fast');
  }

  private async fetch(): Promise<{ now: number; stored: string | null }> {
    const [seconds, stored] = (await this.redis.eval(READ, 1, this.key)) as [string, string | null];
    return { now: Number(seconds) * 1000, stored };
  }
}

function parse(stored: string | null): Pacing | null {
  return stored === null ? null : (JSON.parse(stored) as Pacing);
}
