import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Area } from '#geo';
import {
  type Climbing,
  defaultLadder,
  ladderFault,
  ladderStanding,
  ringDue,
  ringsDue,
  suggestedRadiusM,
} from './ladder.ts';
import type { Ladder, LadderStep } from './ladder.types.ts';
import { isNight } from './night.ts';

const MINUTE = 60_000;
const RELEASED = new Date('2026-03-01T02:00:00Z');
const circle = (radiusM: number): Area => ({ kind: 'circle', center: [114, 22.5], radiusM });
const polygon: Area = {
  kind: 'polygon',
  polygon: {
    type: 'Polygon',
    coordinates: [
      [
        [1, 1],
        [2, 1],
        [2, 2],
        [1, 1],
      ],
    ],
  },
};
const at = (minutes: number) => new Date(RELEASED.getTime() + minutes * MINUTE);

const live = (ladder: Ladder, more: Partial<Climbing> = {}): Climbing => ({
  tier: 'critical',
  zone: 'Asia/Shanghai',
  area: circle(120_000),
  ladder,
  ladderEndedAt: null,
  state: 'live',
  releasedAt: RELEASED,
  expiresAt: at(24 * 60),
  stoppedAt: null,
  ...more,
});

const USUAL = defaultLadder(circle(120_000), 'critical', 24);

describe('the usual ladder', () => {
  it('is 200, 300 and 500 km after 1, 2 and 3 hours, as far as it is wider and in time', () => {
    const minutes = (area: Area, hours = 24) => defaultLadder(area, 'serious', hours).rings.map((r) => r.afterMinutes);
    expect(USUAL.rings.map(({ radiusM }) => radiusM)).toEqual([200_000, 300_000, 500_000]);
    expect(minutes(circle(120_000))).toEqual([60, 120, 180]);
    expect(minutes(circle(200_000))).toEqual([120, 180]);
    expect(minutes(circle(500_000))).toEqual([]);
    expect(minutes(circle(5_000), 2)).toEqual([60]);
    expect(minutes(polygon)).toEqual([]);
    expect(defaultLadder(circle(5_000), 'page_only', 24).rings).toEqual([]);
  });

  it('has no fault, which others do', () => {
    const from = { area: circle(120_000), afterMinutes: 0 };
    const fault = (...rings: [radiusM: number, afterMinutes: number][]) =>
      ladderFault(
        { confirm: false, rings: rings.map(([radiusM, afterMinutes]) => ({ radiusM, afterMinutes })) },
        from,
        1440,
      );
    expect(ladderFault(USUAL, from, 1440)).toBeNull();
    expect(fault([120_000, 5])).toBe('not_growing');
    expect(fault([130_000, 5], [125_000, 6])).toBe('not_growing');
    expect(fault([130_000, 5], [135_000, 5])).toBe('not_growing');
    expect(fault([130_000, 0])).toBe('not_growing');
    expect(fault([130_000, 1440])).toBe('too_late');
    expect(ladderFault(USUAL, { ...from, area: polygon }, 1440)).toBeNull();
    expect(ladderFault(USUAL, { ...from, afterMinutes: 60 }, 1440)).toBe('not_growing');
  });

  it('is suggested wider the longer a child has been missing', () => {
    const after = (hours: number) => suggestedRadiusM(new Date(RELEASED.getTime() - hours * 60 * MINUTE), RELEASED);
    expect([0.5, 1, 1.1, 2.5, 30].map(after)).toEqual([100_000, 100_000, 200_000, 300_000, 500_000]);
  });
});

const ladders = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 100 })), { minLength: 1, maxLength: 8 })
  .map((steps): Ladder => {
    let [afterMinutes, radiusM] = [0, 120_000];
    const rings = steps.map(([minutes, km]) => ({
      afterMinutes: (afterMinutes += minutes),
      radiusM: (radiusM += km * 1000),
    }));
    return { confirm: false, rings };
  });

/** Minutes between sweeps: now and then an outage, or a hold. */
const sweeps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60, max: 900 }) },
  ),
  {
    minLength: 1,
    maxLength: 40,
  },
);

/** Fires as a worker does at these sweeps, then as soon as a ring is due. */
function climb(alert: Climbing, gaps: readonly number[]) {
  let standing = alert;
  const steps: LadderStep[] = [];
  const begun = ((alert.releasedAt ?? RELEASED).getTime() - RELEASED.getTime()) / MINUTE;
  const left = [...gaps];
  for (let minute: number | null = begun; minute !== null;) {
    const ring = ringDue(standing, steps, at(minute))?.ring;
    if (ring) {
      steps.push({ ...ring, state: 'fired', at: at(minute) });
      standing = { ...standing, area: circle(ring.radiusM) };
    }
    const gap = left.shift();
    if (gap !== undefined) {
      minute += gap;
      continue;
    }
    const next: Date | undefined = ringsDue(standing, steps, at(minute))[0]?.dueAt;
    minute = next ? Math.max(minute + 1, Math.ceil((next.getTime() - RELEASED.getTime()) / MINUTE)) : null;
  }
  return steps;
}

describe('climbing', () => {
  it('fires every ring once, in order, never early, never closer together than planned, whatever is missed', () => {
    fc.assert(
      fc.property(ladders, sweeps, (ladder, gaps) => {
        const forever = live(ladder, { expiresAt: at(1_000_000) });
        const steps = climb(forever, gaps);
        expect(steps.map(({ afterMinutes }) => afterMinutes)).toEqual(ladder.rings.map((ring) => ring.afterMinutes));
        let before = { afterMinutes: 0, at: RELEASED };
        for (const step of steps) {
          expect(step.at.getTime()).toBeGreaterThanOrEqual(at(step.afterMinutes).getTime());
          const apart = (step.at.getTime() - before.at.getTime()) / MINUTE;
          expect(apart).toBeGreaterThanOrEqual(step.afterMinutes - before.afterMinutes);
          before = step;
        }
      }),
    );
  });

  it('fires nothing once the alert is over, held for good, stopped, or its ladder ended', () => {
    fc.assert(
      fc.property(ladders, sweeps, fc.integer({ min: 1, max: 2000 }), (ladder, gaps, minutes) => {
        const over = at(minutes);
        for (const step of climb(live(ladder, { expiresAt: over }), gaps)) expect(step.at < over).toBe(true);
        for (const end of [
          { state: 'ended' },
          { stoppedAt: RELEASED },
          { ladderEndedAt: RELEASED },
          { state: 'proposed' },
        ] as const) {
          expect(climb(live(ladder, end), gaps)).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('fires a serious alert’s rings by day alone, spaced as planned', () => {
    fc.assert(
      fc.property(ladders, sweeps, fc.integer({ min: 0, max: 1440 }), (ladder, gaps, shift) => {
        const serious = live(ladder, { tier: 'serious', releasedAt: at(shift), expiresAt: at(1_000_000) });
        const due = ringsDue(serious, [], at(shift));
        expect(due).toHaveLength(ladder.rings.length);
        for (const { dueAt } of due) expect(isNight('Asia/Shanghai', dueAt)).toBe(false);
        const steps = climb(serious, gaps);
        expect(steps).toHaveLength(ladder.rings.length);
      }),
      { numRuns: 50 },
    );
  });

  it('passes over rings that the area has outgrown', () => {
    const wide = live(USUAL, { area: circle(250_000) });
    expect(ringDue(wide, [], at(61))).toBeNull();
    expect(ringDue(wide, [], at(121))).toEqual({ ring: USUAL.rings[1], dueAt: at(120) });
    expect(ladderStanding(wide, [], at(61)).map(({ state }) => state)).toEqual(['passed', 'planned', 'planned']);
  });

  it('waits for an answer where it asks, and goes on after a no', () => {
    const [first, second] = USUAL.rings;
    if (!first || !second) throw new Error('no rings');
    const asked: LadderStep = { ...first, state: 'asked', at: at(60) };
    expect(ringDue(live(USUAL), [asked], at(600))).toBeNull();
    const standing = ladderStanding(live(USUAL), [asked], at(600));
    expect(standing.map(({ state, dueAt }) => [state, dueAt])).toEqual([
      ['asked', null],
      ['planned', null],
      ['planned', null],
    ]);
    const declined: LadderStep = { ...asked, state: 'declined', at: at(100) };
    expect(ringDue(live(USUAL), [declined], at(159))).toBeNull();
    expect(ringDue(live(USUAL), [declined], at(160))).toEqual({ ring: second, dueAt: at(160) });
  });

  it('tells when each is due, one after another once they are overdue', () => {
    const times = (now: number) => ladderStanding(live(USUAL), [], at(now)).map(({ dueAt }) => dueAt);
    expect(times(0)).toEqual([at(60), at(120), at(180)]);
    expect(times(600)).toEqual([at(60), at(660), at(720)]);
  });
});
