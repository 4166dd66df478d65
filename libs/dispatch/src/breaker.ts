/** Messages in a row of which the provider took none: then it is away … */
const OPEN_AFTER = 20;
/** … or, where it says 'too many', has no room at all if it has taken nothing for so long. */
const NO_ROOM_MS = 3_000;
/** The first probe comes soon, for most faults are short; while they fail, one for the whole deployment so often. */
const FIRST_PROBE_MS = 1_000;
export const PROBE_EVERY_MS = 5_000;
/** Enough that one phone's own trouble does not decide, few enough to cost a provider nothing. */
export const PROBE_MESSAGES = 5;
/** What came back is judged a second at a time, or as long as it takes to hear of so many. */
const WINDOW_MS = 1_000;
const SAMPLE = 20;
/** A few 'too many' are about single phones; more than this share of a window is about our rate. */
const AT_LARGE = 0.1;
/** One bad second is no measure: never less than this of the rate is taken for what the provider takes. */
const LEAST_TAKEN = 0.5;
/** CUBIC (RFC 9438): after a cut to this share of what was taken … */
const BETA = 0.7;
/** … the rate comes back to it and goes on as a cube of the seconds since: from a tenth of the quota to a tenth in 10 s, to all of it in 41 s. */
const STEEPNESS = 3e-5;
/** Below this the breaker is what helps. */
const FLOOR = 0.005;

/** What all workers know of a provider's mood. Times are milliseconds of one clock; 0 is never. */
export interface Breaker {
  /** When it opened; 0 while it is closed. */
  readonly openedAt: number;
  /** Not before this the next probe. */
  readonly probeAt: number;
  /** Whether a probe's answer is awaited. */
  readonly probing: boolean;
  /** Messages in a row of which none was taken, and when one was last. */
  readonly failures: number;
  readonly answeredAt: number;
  /** The share of the quota that was taken when the rate was cut last, and when that was; time without sending does not count. */
  readonly ceiling: number;
  readonly cutAt: number;
  /** What was granted before it last opened, closed or was cut tells nothing new. */
  readonly changedAt: number;
  readonly windowAt: number;
  readonly answered: number;
  readonly tooMany: number;
}

/** What became of messages for which room was granted together. */
export interface Report {
  /** Taken, or refused for good: the provider does its work. */
  readonly answered: number;
  /** Not taken, or nobody knows. */
  readonly failed: number;
  /** Of the failed those refused because we send too much. */
  readonly tooMany: number;
  /** Milliseconds since the room was granted. */
  readonly ageMs: number;
  /** How long the provider asks us to stay away. */
  readonly retryAfterMs: number;
}

export const CLOSED: Breaker = {
  openedAt: 0,
  probeAt: 0,
  probing: false,
  failures: 0,
  answeredAt: 0,
  ceiling: 1,
  cutAt: 0,
  changedAt: 0,
  windowAt: 0,
  answered: 0,
  tooMany: 0,
};

/** `open`: nothing is sent; `probing`: a few messages are on their way to see. */
export type BreakerState = 'closed' | 'open' | 'probing';

export function stateOf({ openedAt, probing }: Breaker): BreakerState {
  if (openedAt === 0) return 'closed';
  return probing ? 'probing' : 'open';
}

/** The share of the quota that the provider is thought to take now. */
export function shareAt({ ceiling, cutAt }: Breaker, now: number): number {
  if (cutAt === 0) return 1;
  const plateauS = Math.cbrt((ceiling * (1 - BETA)) / STEEPNESS);
  const share = ceiling + STEEPNESS * ((now - cutAt) / 1000 - plateauS) ** 3;
  return Math.max(FLOOR, Math.min(1, share));
}

/** An open breaker's next probe, or null while it is not time for one. */
export function probe(breaker: Breaker, now: number): Breaker | null {
  if (now < breaker.probeAt) return null;
  return { ...breaker, probing: true, probeAt: now + PROBE_EVERY_MS };
}

/** The rate does not grow while it is not used: nothing is learnt by it. */
export function rest(breaker: Breaker, now: number, idleMs: number): Breaker {
  return breaker.cutAt > 0 ? { ...breaker, cutAt: Math.min(now, breaker.cutAt + idleMs) } : breaker;
}

/**
 * Takes in what became of some messages. Those granted before the last change were sent under another rule: else one mistake would be
 * paid for as often as it has messages on their way.
 */
export function learn(breaker: Breaker, now: number, report: Report): Breaker {
  if (now - report.ageMs < breaker.changedAt) return breaker;
  return breaker.openedAt > 0 ? learnFromProbe(breaker, now, report) : learnClosed(breaker, now, report);
}

function learnFromProbe(breaker: Breaker, now: number, { answered, retryAfterMs }: Report): Breaker {
  if (answered > 0)
    return { ...CLOSED, answeredAt: now, ceiling: breaker.ceiling, cutAt: now, changedAt: now, windowAt: now };
  return { ...breaker, probing: false, probeAt: Math.max(breaker.probeAt, now + retryAfterMs) };
}

function learnClosed(breaker: Breaker, now: number, report: Report): Breaker {
  const known = {
    ...breaker,
    failures: report.answered > 0 ? 0 : breaker.failures + report.failed,
    answeredAt: report.answered > 0 ? now : breaker.answeredAt,
    answered: breaker.answered + report.answered,
    tooMany: breaker.tooMany + report.tooMany,
  };
  if (isAway(known, now, report)) {
    const probeAt = now + Math.max(FIRST_PROBE_MS, report.retryAfterMs);
    return { ...known, openedAt: now, changedAt: now, probeAt, ceiling: takenShare(known, now) };
  }
  const heard = known.answered + known.tooMany;
  if (now - known.windowAt < WINDOW_MS || heard < SAMPLE) return known;
  const cut = known.tooMany > heard * AT_LARGE;
  const rate = cut ? { ceiling: takenShare(known, now), cutAt: now, changedAt: now } : {};
  return { ...known, ...rate, windowAt: now, answered: 0, tooMany: 0 };
}

function isAway({ failures, answeredAt }: Breaker, now: number, { failed, tooMany }: Report): boolean {
  return failures >= OPEN_AFTER && (tooMany * 2 < failed || now - answeredAt >= NO_ROOM_MS);
}

/** What the provider took in this window, of the quota; where it did not speak of too many, what was sent. */
function takenShare(breaker: Breaker, now: number): number {
  const { answered, tooMany } = breaker;
  const taken = tooMany > 0 ? Math.max(LEAST_TAKEN, answered / (answered + tooMany)) : 1;
  return Math.max(FLOOR, shareAt(breaker, now) * taken);
}
