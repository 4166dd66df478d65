import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Area, cellOf, cover, type LonLat, SAME_BITS } from '#geo';
import { TopUpAlert } from './top-up-alert.ts';

const area: Area = { kind: 'circle', center: [114.06, 22.54], radiusM: 20_000 };
const ranges = [...cover(area).whole, ...cover(area).edge];
const touched = (cell: bigint) => ranges.some(({ lo, hi }) => lo <= cell && cell <= hi);

const places = fc.array(
  fc.tuple(fc.double({ min: 113.7, max: 114.4, noNaN: true }), fc.double({ min: 22.2, max: 22.9, noNaN: true })),
  { minLength: 1, maxLength: 60 },
);

const placed = (at: readonly LonLat[]) =>
  at
    .map((place, i) => ({ deviceId: i + 1, cell: Number(cellOf(place) >> BigInt(SAME_BITS)), whole: cellOf(place) }))
    .sort((a, b) => a.cell - b.cell);

describe('who may have entered', () => {
  it('is everyone in a cell that the area touches, less those asked or unwilling', () => {
    fc.assert(
      fc.property(places, (at) => {
        const known = new TopUpAlert(area);
        known.asked.add(1);
        known.withheld.add(2);
        const all = placed(at);
        const expected = all.filter(({ deviceId, whole }) => deviceId > 2 && touched(whole)).map((one) => one.deviceId);
        const found = known.candidates(all).map(({ deviceId }) => deviceId);
        expect(found.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: 50 },
    );
  });

  it('is looked for in their cells alone', () => {
    fc.assert(
      fc.property(places, (at) => {
        const known = new TopUpAlert(area);
        const candidates = known.candidates(placed(at));
        const { whole, edge } = known.around(candidates).cover;
        const cells = new Set(candidates.map(({ cell }) => cell));
        const looked = [...whole, ...edge].map(({ lo }) => Number(lo >> BigInt(SAME_BITS)));
        expect(new Set(looked)).toEqual(cells);
        for (const { lo, hi } of [...whole, ...edge]) expect(lo).toBe(hi);
      }),
      { numRuns: 50 },
    );
  });
});
