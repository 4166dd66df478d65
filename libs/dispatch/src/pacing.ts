import { type Breaker, CLOSED, learn, probe, PROBE_MESSAGES, type Report, rest, shareAt } from './breaker.ts';

/** Room granted ahead of time, so that a worker's round trips do not cost throughput. */
const BURST_MS = 250;
/** FCM's ramp starts from a trickle, not from nothing: the nearest phones are asked at once. */
const RAMP_FLOOR = 0.1;
/** After this long without a push the provider has forgotten us, and the ramp starts again. */
export const IDLE_MS = 300_000;
/** Room that the quota gives later than this is not waited for. */
export const MAX_WAIT_MS = 5_000;

/** What a provider allows. */
export interface Quota {
  /** Messages a second. */
  readonly perSecond: number;
  /** Milliseconds from a tenth of it to all of it. */
  readonly rampMs: number;
}

/** All that the workers share about sending to a provider. Times are milliseconds of one clock. */
export interface Pacing {
  /** When the room granted so far will have been used up: the generic cell rate algorithm's 'theoretical arrival time'. */
  readonly usedUpAt: number;
  /** When the ramp began. */
  readonly since: number;
  readonly breaker: Breaker;
}

/** What was found for somebody who asked for room: so many messages after so long, or nothing for so long. */
export type Found =
  | { readonly granted: true; readonly messages: number; readonly waitMs: number }
  | { readonly granted: false; readonly retryMs: number };

/** @param pacing null where nothing is known: the bottom of the ramp, closed */
export function reserve(
  pacing: Pacing | null,
  now: number,
  messages: number,
  quota: Quota,
): { readonly pacing: Pacing; readonly found: Found } {
  const known = present(pacing, now);
  if (known.breaker.openedAt > 0) return reserveProbe(known, now, messages);
  const usedUpAt = Math.max(known.usedUpAt, now);
  const waitMs = Math.max(0, usedUpAt - now - BURST_MS);
  if (waitMs > MAX_WAIT_MS) return { pacing: known, found: { granted: false, retryMs: waitMs } };
  const idleMs = now - known.usedUpAt;
  const breaker = idleMs > BURST_MS ? rest(known.breaker, now, idleMs) : known.breaker;
  const rate = rateAt({ ...known, breaker }, now, quota);
  // Of a small room little at once: a provider may take no more ahead than a second's worth.
  const granted = Math.min(messages, Math.max(1, Math.floor((rate * BURST_MS) / 1000)));
  const next = { ...known, breaker, usedUpAt: usedUpAt + (granted * 1000) / rate };
  return { pacing: next, found: { granted: true, messages: granted, waitMs } };
}

/** @returns what is known after some reports, oldest first */
export function learnAll(pacing: Pacing | null, now: number, reports: readonly Report[]): Pacing {
  const known = present(pacing, now);
  return { ...known, breaker: reports.reduce((breaker, report) => learn(breaker, now, report), known.breaker) };
}

/** Messages for which there is room at once, the share of the quota that is used, and how far ahead room is granted. */
export function outlook(pacing: Pacing | null, now: number, quota: Quota) {
  const known = present(pacing, now);
  const open = known.breaker.openedAt > 0;
  const aheadMs = Math.max(0, known.usedUpAt - now);
  const rate = rateAt(known, now, quota);
  const room = open ? 0 : Math.floor((Math.max(0, BURST_MS - aheadMs) * rate) / 1000);
  return { room, share: open ? 0 : rate / quota.perSecond, aheadMs };
}

function reserveProbe(known: Pacing, now: number, messages: number): { pacing: Pacing; found: Found } {
  const breaker = probe(known.breaker, now);
  if (!breaker) return { pacing: known, found: { granted: false, retryMs: known.breaker.probeAt - now } };
  return {
    pacing: { ...known, breaker },
    found: { granted: true, messages: Math.min(messages, PROBE_MESSAGES), waitMs: 0 },
  };
}

/** What holds now: after long silence the ramp begins anew, and what the rate was is forgotten; that it is away is not. */
function present(pacing: Pacing | null, now: number): Pacing {
  if (pacing && now - pacing.usedUpAt <= IDLE_MS) return pacing;
  const away = pacing !== null && pacing.breaker.openedAt > 0;
  return { usedUpAt: now, since: now, breaker: away ? pacing.breaker : CLOSED };
}

/** Messages a second. */
function rateAt({ since, breaker }: Pacing, now: number, { perSecond, rampMs }: Quota): number {
  const ramp = rampMs > 0 ? Math.max(RAMP_FLOOR, Math.min(1, (now - since) / rampMs)) : 1;
  return perSecond * Math.min(ramp, shareAt(breaker, now));
}
