import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stateOf, PROBE_EVERY_MS, PROBE_MESSAGES, shareAt } from './breaker.ts';
import { learnAll, type Pacing, reserve } from './pacing.ts';

const QUOTA = { perSecond: 10_000, rampMs: 0 };
const CHUNK = 100;
/** From a grant to its answers. */
const LATENCY_MS = 80;

interface Second {
  readonly sent: number;
  readonly taken: number;
}

/**
 * A sender that always has more, against a provider of `capacity(t)` messages a second (at most a second's worth ahead), in
 * simulated time. @returns what was sent and taken in each second
 */
function send(seconds: number, capacity: (second: number) => number, tooMany = true): Second[] {
  let pacing: Pacing | null = null;
  let tokens = capacity(0);
  const answers: { at: number; grantedAt: number; taken: number; size: number }[] = [];
  const log = Array.from({ length: seconds }, () => ({ sent: 0, taken: 0 }));
  let readyAt = 0;
  for (let ms = 0; ms < seconds * 1000; ms++) {
    const now = 1e12 + ms;
    const perSecond = capacity(Math.floor(ms / 1000));
    tokens = Math.min(Math.max(1, perSecond), tokens + perSecond / 1000);
    while (answers[0] && answers[0].at <= ms) {
      const { grantedAt, taken, size } = answers.shift() as (typeof answers)[number];
      const failed = size - taken;
      const report = { answered: taken, failed, tooMany: tooMany ? failed : 0, ageMs: ms - grantedAt, retryAfterMs: 0 };
      pacing = learnAll(pacing, now, [report]);
    }
    if (ms < readyAt) continue;
    const { pacing: next, found } = reserve(pacing, now, CHUNK, QUOTA);
    pacing = next;
    if (!found.granted) readyAt = ms + Math.ceil(Math.min(found.retryMs, 1_000));
    else {
      readyAt = ms + Math.ceil(found.waitMs);
      const taken = Math.min(found.messages, Math.floor(tokens));
      tokens -= taken;
      answers.push({ at: readyAt + LATENCY_MS, grantedAt: readyAt, taken, size: found.messages });
      const second = log[Math.min(seconds - 1, Math.floor(readyAt / 1000))];
      if (second) {
        second.sent += found.messages;
        second.taken += taken;
      }
    }
  }
  return log;
}

const sum = (seconds: readonly Second[]) =>
  seconds.reduce((all, one) => ({ sent: all.sent + one.sent, taken: all.taken + one.taken }), { sent: 0, taken: 0 });

describe('the breaker', () => {
  it('sends at the quota while all goes well', () => {
    const { sent, taken } = sum(send(20, () => 20_000));
    expect(taken).toBe(sent);
    expect(sent).toBeGreaterThan(19.9 * QUOTA.perSecond);
  });

  it('settles near a quota cut to a tenth, and finds the whole one again', () => {
    const seconds = send(200, (second) => (second >= 10 && second < 100 ? 1_000 : 20_000));
    const settled = sum(seconds.slice(20, 100));
    expect(settled.taken).toBeGreaterThan(0.85 * 80 * 1_000);
    expect(settled.sent - settled.taken).toBeLessThan(0.05 * settled.sent);
    // Neither full speed nor silence.
    for (const { sent } of seconds.slice(20, 100)) {
      expect(sent).toBeGreaterThan(300);
      expect(sent).toBeLessThan(2_000);
    }
    expect(sum(seconds.slice(145, 155)).taken).toBeGreaterThan(0.95 * 10 * QUOTA.perSecond);
  });

  it('costs a provider that is away a trickle, and notices within five seconds that it is back', () => {
    const seconds = send(120, (second) => (second >= 10 && second < 70 ? 0 : 20_000), false);
    expect(sum(seconds.slice(11, 70)).sent).toBeLessThanOrEqual(13 * PROBE_MESSAGES);
    expect(sum(seconds.slice(70, 76)).taken).toBeGreaterThan(0);
    // It was away, not slower: most of the quota is used at once, and all of it soon.
    expect(sum(seconds.slice(76, 86)).taken).toBeGreaterThan(0.7 * 10 * QUOTA.perSecond);
    expect(sum(seconds.slice(100, 110)).taken).toBeGreaterThan(0.99 * 10 * QUOTA.perSecond);
  });

  it('is not slowed by errors here and there, nor by one phone that is always refused', () => {
    let pacing: Pacing | null = null;
    for (let n = 0; n < 5_000; n++) {
      const report = { answered: 80, failed: 20, tooMany: 5, ageMs: 10, retryAfterMs: 0 };
      pacing = learnAll(pacing, 1e12 + n * 10, [report, { ...report, answered: 0, failed: 1, tooMany: 1 }]);
    }
    expect(pacing && stateOf(pacing.breaker)).toBe('closed');
    expect(pacing && shareAt(pacing.breaker, 1e12 + 50_000)).toBe(1);
  });

  const T = 1e12;
  const FAILED = { answered: 0, failed: 100, tooMany: 0, ageMs: 10, retryAfterMs: 0 };
  const REFUSED = { ...FAILED, tooMany: 100 };
  const stateAfter = (pacing: Pacing) => stateOf(pacing.breaker);

  /** When within 25 s of T somebody who always asks is let through; each probe fails so. */
  const probes = (opened: Pacing, report = FAILED) => {
    const times: number[] = [];
    let pacing = opened;
    for (let ms = 0; ms < 25_000; ms++) {
      const { pacing: next, found } = reserve(pacing, T + ms, CHUNK, QUOTA);
      pacing = next;
      if (!found.granted) continue;
      times.push(ms);
      expect([found.messages, stateAfter(pacing)]).toEqual([PROBE_MESSAGES, 'probing']);
      pacing = learnAll(pacing, T + ms, [{ ...report, ageMs: 0 }]);
      expect(stateAfter(pacing)).toBe('open');
    }
    return times;
  };

  it('opens at the twentieth in a row that is not taken; is tried after a second, then every five', () => {
    const nineteen = learnAll(null, T, [{ ...FAILED, failed: 19 }]);
    expect(stateAfter(nineteen)).toBe('closed');
    const taken = learnAll(nineteen, T, [{ ...FAILED, answered: 1, failed: 19 }]);
    expect(stateAfter(learnAll(taken, T, [{ ...FAILED, failed: 19 }]))).toBe('closed');
    const opened = learnAll(nineteen, T, [{ ...FAILED, failed: 1 }]);
    expect(stateAfter(opened)).toBe('open');
    expect(probes(opened)).toEqual([1_000, 6_000, 11_000, 16_000, 21_000]);
  });

  it('stays away for as long as it is told to', () => {
    expect(probes(learnAll(null, T, [{ ...FAILED, retryAfterMs: 7_000 }]))).toEqual([7_000, 12_000, 17_000, 22_000]);
    expect(probes(learnAll(null, T, [FAILED]), { ...FAILED, retryAfterMs: 9_000 })).toEqual([1_000, 10_000, 19_000]);
  });

  it('is not opened by too many but when nothing is taken for three seconds', () => {
    const begun = learnAll(null, T, [{ ...FAILED, answered: 100, failed: 0 }]);
    expect(stateAfter(learnAll(begun, T + 2_999, [REFUSED]))).toBe('closed');
    expect(stateAfter(learnAll(begun, T + 3_000, [REFUSED]))).toBe('open');
  });

  it('closes when a probe is answered, and goes on from seven tenths of the rate that it had', () => {
    const cut = cutTo(0.5);
    const opened = learnAll(cut, T + 1_000, [{ ...FAILED, failed: 20 }]);
    const probed = reserve(opened, T + 2_000, CHUNK, QUOTA).pacing;
    const closed = learnAll(probed, T + 2_100, [{ ...FAILED, answered: 5, failed: 0, ageMs: 100 }]);
    expect(stateAfter(closed)).toBe('closed');
    expect(shareAt(closed.breaker, T + 2_100) / shareAt(cut.breaker, T + 1_000)).toBeCloseTo(0.7);
  });

  it('does not hear what was sent before it last opened, or was cut', () => {
    const opened = learnAll(null, T, [FAILED]);
    const late = { ...FAILED, answered: 100, failed: 0, ageMs: 500 };
    expect(learnAll(opened, T + 400, [late])).toEqual(opened);
    const cut = cutTo(0.5);
    expect(learnAll(cut, T + 1_400, [{ ...late, answered: 10, tooMany: 90, failed: 90, ageMs: 1_401 }])).toEqual(cut);
  });

  /** A second in which this share was taken and the rest too much, at T. */
  const cutTo = (taken: number) =>
    learnAll(null, T, [{ ...FAILED, answered: taken * 1000, failed: (1 - taken) * 1000, tooMany: (1 - taken) * 1000 }]);

  it('is cut when more than a tenth is too much, and by no single second below half', () => {
    expect(cutTo(0.9).breaker.cutAt).toBe(0);
    expect(cutTo(0.89).breaker.ceiling).toBeCloseTo(0.89);
    expect(cutTo(0.1).breaker.ceiling).toBe(0.5);
  });

  it('comes back as CUBIC does: fast to where it was cut, slowly there, and faster beyond', () => {
    const tenth = { ...cutTo(0.5).breaker, ceiling: 0.1, cutAt: T };
    const after = (seconds: number) => shareAt(tenth, T + seconds * 1000);
    expect([0, 10, 42].map((seconds) => Number(after(seconds).toFixed(2)))).toEqual([0.07, 0.1, 1]);
    const [down, flat, up] = [after(1) - after(0), after(10.5) - after(9.5), after(30) - after(29)];
    expect(flat).toBeLessThan(down / 10);
    expect(up).toBeGreaterThan(down * 2);
  });

  it('grows no rate that is not used', () => {
    const cut = cutTo(0.5);
    const rate = (pacing: Pacing, at: number) => shareAt(reserve(pacing, at, 1, QUOTA).pacing.breaker, at);
    expect(rate(cut, T + 60_000)).toBeCloseTo(shareAt(cut.breaker, T), 2);
  });

  it('is remembered open through five minutes of silence, when what the rate was is forgotten', () => {
    const later = T + 301_000;
    expect(stateAfter(learnAll(learnAll(null, T, [FAILED]), later, []))).toBe('open');
    const cut = learnAll(cutTo(0.5), later, []);
    expect([stateAfter(cut), shareAt(cut.breaker, later)]).toEqual(['closed', 1]);
    // And the ramp begins anew, at a tenth.
    const { found } = reserve(cut, later, 1_000, { perSecond: 10_000, rampMs: 60_000 });
    expect(found).toMatchObject({ granted: true, messages: 250 });
  });

  it('sends away who would wait for more than five seconds', () => {
    const full = { ...learnAll(null, T, []), usedUpAt: T + 5_251 };
    expect(reserve(full, T, 1, QUOTA).found).toEqual({ granted: false, retryMs: 5_001 });
    expect(reserve(full, T + 1, 1, QUOTA).found).toEqual({ granted: true, messages: 1, waitMs: 5_000 });
  });

  const step = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 400_000 })),
    ask: fc.integer({ min: 1, max: 100 }),
    answered: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(100)),
    failed: fc.nat(100),
    tooMany: fc.boolean(),
    ageMs: fc.nat(15_000),
    retryAfterMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60_000)),
  });

  it('keeps its promises whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let now = 1e12;
        let pacing: Pacing | null = null;
        let probedAt = -Infinity;
        for (const one of steps) {
          now += one.afterMs;
          const reserved = reserve(pacing, now, one.ask, QUOTA);
          pacing = reserved.pacing;
          const { found } = reserved;
          const open = pacing.breaker.openedAt > 0;
          if (open && found.granted) {
            expect(found.messages).toBeLessThanOrEqual(PROBE_MESSAGES);
            expect(now - probedAt).toBeGreaterThanOrEqual(PROBE_EVERY_MS);
            probedAt = now;
          } else if (!open) probedAt = -Infinity;
          // Whoever is sent away is told to come back within the probes' time, or what the provider asked for.
          if (!found.granted) expect(found.retryMs).toBeLessThanOrEqual(open ? 60_000 : Infinity);
          const report = { ...one, tooMany: one.tooMany ? one.failed : 0 };
          const before = pacing.breaker;
          pacing = learnAll(pacing, now, [report]);
          const { breaker } = pacing;
          const share = shareAt(breaker, now);
          expect(share).toBeGreaterThan(0);
          expect(share).toBeLessThanOrEqual(1);
          if (one.answered > 0 && now - one.ageMs >= before.changedAt) expect(stateOf(breaker)).toBe('closed');
          // What is written must be read as it was.
          expect(JSON.parse(JSON.stringify(pacing))).toEqual(pacing);
        }
      }),
      { numRuns: 500 },
    );
  });
});
