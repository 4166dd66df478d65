import type { Setting } from './setting.ts';
import type { Stage } from './stage.ts';

/** What a scenario found. More fields are for people. */
export interface Outcome {
  readonly targeted: number;
  /** Recipients for whom a promise was broken. */
  readonly lost: number;
  readonly duplicates: number;
  /** What the duplicates may be at most. */
  readonly bound: number;
  /** Milliseconds from the moment that capacity was back until every recipient was settled; null where nothing had to recover. */
  readonly recoveredMs: number | null;
  readonly ok: boolean;
  /** What was broken of which promise, where not ok. */
  readonly why?: readonly string[];
  readonly ambiguous?: number;
  readonly lostLeases?: number;
  /** Milliseconds from the second alert's release, or from capacity's return where that came later, to its first push. */
  readonly secondFirstPushMs?: number | null;
  /** Share of the wave that was settled when it was struck. */
  readonly struckAt?: number;
}

/** One thing that is broken, and what must hold all the same. */
export interface Scenario {
  readonly name: string;
  /** What is broken, in one line. */
  readonly breaks: string;
  /** Runs in `npm test`. */
  readonly short?: boolean;
  readonly setting?: Partial<Setting>;
  /** It leaves phones, alerts or processes as no other scenario wants to find them. */
  readonly spoils?: boolean;
  run(stage: Stage): Promise<Outcome>;
}

/** Whether everything held; what did not is told in words, the first few of each. */
export function verdict(found: Omit<Outcome, 'ok' | 'why'>, faults: readonly string[]): Outcome {
  if (faults.length === 0) return { ...found, ok: true };
  return { ...found, ok: false, why: faults.slice(0, 8) };
}
