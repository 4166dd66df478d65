import { setTimeout as pause } from 'node:timers/promises';
import { isUnavailable } from './http/unavailable.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Does a piece of work again while PostgreSQL or Redis is away or overloaded (see {@link isUnavailable}), so that what is known is not lost with
 * them. Work that was done, though nobody could say so, is done again: it must bear that.
 * @param forMs not for longer than this
 * @throws what the work throws for another reason, or last
 */
export async function outlast<Result>(forMs: number, work: () => Promise<Result>): Promise<Result> {
  const until = performance.now() + forMs;
  for (let ceilingMs = FIRST_PAUSE_MS; ; ceilingMs = Math.min(LONGEST_PAUSE_MS, ceilingMs * 2)) {
    try {
      return await work();
    } catch (error) {
      // The upper half is drawn, so that those who lost the same server do not all come back at once.
      const pauseMs = (ceilingMs * (1 + Math.random())) / 2;
      if (!isUnavailable(error) || performance.now() + pauseMs > until) throw error;
      await pause(pauseMs);
    }
  }
}
