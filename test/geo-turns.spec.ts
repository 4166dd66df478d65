import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { type Area, areaFault, type CellRange, cover, coverInTurns, MAX_RADIUS_M, tractsInTurns, tractsOf } from '#geo';

/** The most work that sound areas make. */
const saw = Array.from({ length: 998 }, (_, i) => {
  const [angle, reach] = [(2 * Math.PI * i) / 998, i % 2 ? 4 : 0.6];
  return [100 + reach * Math.cos(angle), 30 + reach * Math.sin(angle)];
});
const winding = Array.from({ length: 1_000 }, (_, i) => [90 + i / 40, 40 + 0.15 * Math.sin(i / 9)]);
const WORST: [string, Area][] = [
  ['a circle of 2 000 km', { kind: 'circle', center: [104, 35], radiusM: MAX_RADIUS_M }],
  ['a saw of 999 positions', { kind: 'polygon', polygon: { type: 'Polygon', coordinates: [[...saw, saw[0] ?? []]] } }],
  ['a long, narrow corridor', { kind: 'corridor', line: { type: 'LineString', coordinates: winding }, withinM: 500 }],
];

const textOf = (ranges: readonly CellRange[]) => ranges.map(({ lo, hi }) => `${lo}–${hi}`).join();

describe('in turns', () => {
  it.each(WORST)('%s is the same, and others get the event loop every few milliseconds', async (_, area) => {
    expect(areaFault(area)).toBeNull();
    const delay = monitorEventLoopDelay({ resolution: 2 });
    const [atOnce, tractsAtOnce] = [cover(area), tractsOf(area)];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    delay.enable();
    const [covered, tracts] = [await coverInTurns(area), await tractsInTurns(area)];
    delay.disable();
    clearInterval(timer);
    expect(textOf(covered.whole) + textOf(covered.edge)).toBe(textOf(atOnce.whole) + textOf(atOnce.edge));
    expect(tracts.tracts.map(({ id }) => id)).toEqual(tractsAtOnce.tracts.map(({ id }) => id));
    expect(ticks).toBeGreaterThan(3);
    // A turn is 8 ms of this thread; the rest is what others' work on the same machine may take.
    expect(delay.percentile(50) / 1e6).toBeLessThan(50);
  });
});
