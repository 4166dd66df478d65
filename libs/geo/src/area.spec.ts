import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { areaBounds, type Area } from './area.ts';
import type { LonLat } from './point.ts';

const wgs84 = geographiclib.Geodesic.WGS84;
const circle = (center: LonLat, radiusM: number): Area => ({ kind: 'circle', center, radiusM });
const box = (w: number, s: number, e: number, n: number) => [
  [w, s],
  [e, s],
  [e, n],
  [w, n],
  [w, s],
];
const parts = (...boxes: number[][][]): Area => ({
  kind: 'polygon',
  polygon: { type: 'MultiPolygon', coordinates: boxes.map((ring) => [ring]) },
});

describe('areaBounds', () => {
  it('holds every point of a circle, wherever it is', () => {
    const center = fc.tuple(
      fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(-180, 179.99, 180)),
      fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.constantFrom(-90, 89.9, 90)),
    );
    const radiusM = fc.double({ min: 2, max: 7.2, noNaN: true }).map((power) => 10 ** power);
    const bearing = fc.double({ min: 0, max: 360, noNaN: true });
    fc.assert(
      fc.property(center, radiusM, bearing, (center, radiusM, bearing) => {
        const { w, s, e, n } = areaBounds(circle(center, radiusM));
        const { lon2: lon = NaN, lat2: lat = NaN } = wgs84.Direct(center[1], center[0], bearing, radiusM);
        expect(lat >= s && lat <= n).toBe(true);
        expect(w <= e ? lon >= w && lon <= e : lon >= w || lon <= e).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('crosses the antimeridian with west > east, and takes all longitudes over a pole', () => {
    const fiji = areaBounds(circle([179.5, -17], 120_000));
    expect(fiji.w).toBeGreaterThan(178);
    expect(fiji.e).toBeLessThan(-179);
    expect(areaBounds(circle([25, 89.5], 120_000))).toMatchObject({ w: -180, e: 180, n: 90 });
    expect(areaBounds(circle([25, 10], 3e7))).toEqual({ w: -180, s: -90, e: 180, n: 90 });
  });

  it('holds every point of a corridor, also over the antimeridian, and is little larger', () => {
    const area: Area = {
      kind: 'corridor',
      line: { type: 'MultiLineString', coordinates: [[[177, -20], [180, -17]], [[-180, -17], [-179, -16.5]]] }, // prettier-ignore
      withinM: 20_000,
    };
    const { w, s, e, n } = areaBounds(area);
    for (const bearing of [0, 90, 180, 270]) {
      for (const [lon, lat] of [
        [177, -20],
        [180, -17],
        [-179, -16.5],
      ] as const) {
        // prettier-ignore
        const { lon2 = NaN, lat2 = NaN } = wgs84.Direct(lat, lon, bearing, 20_000);
        expect(lat2 >= s && lat2 <= n && (lon2 >= w || lon2 <= e)).toBe(true);
      }
    }
    expect([w, s, e, n].map((degrees) => Math.round(degrees * 10) / 10)).toEqual([176.8, -20.2, -178.8, -16.3]);
  });

  it('is a polygon’s extremes', () => {
    const area: Area = { kind: 'polygon', polygon: { type: 'Polygon', coordinates: [box(110, 20, 112, 23)] } };
    expect(areaBounds(area)).toEqual({ w: 110, s: 20, e: 112, n: 23 });
  });

  it('goes the short way round parts cut at the antimeridian', () => {
    expect(areaBounds(parts(box(-180, 1, -178, 2), box(177, 0, 180, 2)))).toEqual({ w: 177, s: 0, e: -178, n: 2 });
    expect(areaBounds(parts(box(10, 1, 20, 2), box(-30, 0, -25, 2)))).toEqual({ w: -30, s: 0, e: 20, n: 2 });
    expect(areaBounds(parts(box(-180, 1, 180, 2), box(7, 0, 8, 3)))).toEqual({ w: -180, s: 0, e: 180, n: 3 });
  });

  it('refuses a polygon without positions', () => {
    expect(() => areaBounds(parts())).toThrow(RangeError);
  });
});
