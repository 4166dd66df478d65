import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Area } from './area.ts';
import { blockOf, cellOf, type CellRange } from './cell.ts';
import { cover } from './cover.ts';
import type { LonLat } from './point.ts';

const circle = (center: LonLat, radiusM: number): Area => ({ kind: 'circle', center, radiusM });
const holds = (ranges: readonly CellRange[], id: bigint) => ranges.some(({ lo, hi }) => lo <= id && id <= hi);
/** A slight overcount: digits 7 are counted, too. */
const cells = (ranges: readonly CellRange[]) =>
  ranges.reduce((sum, { lo, hi }) => sum + Number((hi - lo) >> 24n) + 1, 0);

describe('cover', () => {
  it('gives sorted, disjoint ranges in both lists together', () => {
    const center = fc.tuple(
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: -90, max: 90, noNaN: true }),
    );
    fc.assert(
      fc.property(center, fc.double({ min: 100, max: 400_000, noNaN: true }), (center, radiusM) => {
        const { whole, edge } = cover(circle(center, radiusM));
        const byId = (a: CellRange, b: CellRange) => (a.lo < b.lo ? -1 : 1);
        const disjoint = (list: readonly CellRange[]) =>
          list.every(({ lo, hi }, i) => lo <= hi && lo > (list[i - 1]?.hi ?? 0n));
        return disjoint(whole) && disjoint(edge) && disjoint([...whole, ...edge].sort(byId));
      }),
      { numRuns: 25 },
    );
  });

  it('merges what adjoins: the whole earth is one range', () => {
    const { whole, edge } = cover(circle([10, 20], 30_000_000));
    expect(edge).toEqual([]);
    expect(whole).toEqual([{ lo: blockOf('8001fffffffffff', 0).lo, hi: blockOf('80f3fffffffffff', 0).hi }]);
  });

  it('tells the middle of a circle from its edge and from far away', () => {
    const { whole, edge } = cover(circle([114.06, 22.54], 120_000));
    expect(holds(whole, cellOf([114.06, 22.54]))).toBe(true);
    expect(holds(edge, cellOf([114.06, 22.54 + 120_000 / 110_800]))).toBe(true);
    expect(holds([...whole, ...edge], cellOf([116.4, 39.9]))).toBe(false);
  });

  it('keeps the edge thin: a ring about two cells wide', () => {
    expect(cells(cover(circle([114.06, 22.54], 120_000)).edge)).toBeLessThan(600);
    expect(cells(cover(circle([114.06, 22.54], 1_000_000)).edge)).toBeLessThan(5_000);
  });

  it('keeps a single point on the edge', () => {
    const { whole, edge } = cover(circle([2.35, 48.86], 0));
    expect(whole).toEqual([]);
    expect(holds(edge, cellOf([2.35, 48.86]))).toBe(true);
  });

  it('leaves the hole of a polygon out', () => {
    const ring = (half: number) => [
      [-half, -half],
      [half, -half],
      [half, half],
      [-half, half],
      [-half, -half],
    ];
    const { whole, edge } = cover({ kind: 'polygon', polygon: { type: 'Polygon', coordinates: [ring(2), ring(1)] } });
    expect(holds(whole, cellOf([1.5, 0]))).toBe(true);
    expect(holds([...whole, ...edge], cellOf([0, 0]))).toBe(false);
    expect(holds(edge, cellOf([1, 0]))).toBe(true);
  });

  it('gives up on the detail of an edge that is everywhere, not on exactness', () => {
    const spikes = Array.from({ length: 999 }, (_, i) => {
      const angle = (2 * Math.PI * i) / 999;
      return [100 + (i % 2 ? 20 : 5) * Math.cos(angle), 30 + (i % 2 ? 20 : 5) * Math.sin(angle)];
    });
    const polygon = { type: 'Polygon' as const, coordinates: [[...spikes, spikes[0] ?? []]] };
    const { whole, edge } = cover({ kind: 'polygon', polygon });
    expect(whole.length + edge.length).toBeLessThan(10_000);
    expect(holds(whole, cellOf([100, 30]))).toBe(true);
    expect(holds(edge, cellOf([115, 30]))).toBe(true);
  });

  it.each([
    circle([181, 0], 1_000),
    circle([0, NaN], 1_000),
    circle([0, 0], -1),
    circle([0, 0], NaN),
    circle([0, 0], Infinity),
  ])('refuses %j', (area) => {
    expect(() => cover(area)).toThrow(RangeError);
  });
});
