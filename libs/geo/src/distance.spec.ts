import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { bandOf, geodesicBoundsM, HAVERSINE_ERROR, haversineM } from './distance.ts';
import type { LonLat } from './point.ts';

const wgs84 = geographiclib.Geodesic.WGS84;
const QUARTER_MERIDIAN_M = 10_001_965.729;

const lat = fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.constantFrom(-90, 0, 90));
const lon = fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(-180, 0, 180));
const point = fc.tuple(lon, lat);

/** Two points and their distance in metres, from 1 m to beside the antipode; meridians and the equator often. */
const pair = fc
  .record({
    from: point,
    bearing: fc.oneof(
      fc.integer({ min: 0, max: 3 }).map((k) => k * 90),
      fc.double({ min: 0, max: 360, noNaN: true }),
    ),
    distance: fc.double({ min: 0, max: 7.3, noNaN: true }).map((power) => 10 ** power),
  })
  .map(({ from, bearing, distance }) => {
    const { lon2 = NaN, lat2 = NaN } = wgs84.Direct(from[1], from[0], bearing, distance);
    const to: LonLat = [lon2, lat2];
    return { from, to, geodesicM: wgs84.Inverse(from[1], from[0], lat2, lon2).s12 ?? NaN };
  });

const nearAntipodes = fc.tuple(
  point,
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ min: -1, max: 1, noNaN: true }),
);

describe('haversineM', () => {
  it('is within HAVERSINE_ERROR of the geodesic, both ways', () => {
    fc.assert(
      fc.property(pair, ({ from, to, geodesicM }) => {
        const haversine = haversineM(from, to);
        return Math.abs(haversine - geodesicM) <= HAVERSINE_ERROR * Math.min(geodesicM, haversine) + 1e-6;
      }),
      { numRuns: 5_000 },
    );
  });

  it('is so beside the antipode, too', () => {
    fc.assert(
      fc.property(nearAntipodes, ([from, dLon, dLat]) => {
        const to: LonLat = [from[0] + 180 + dLon, Math.max(-90, Math.min(90, -from[1] + dLat))];
        const geodesicM = wgs84.Inverse(from[1], from[0], to[1], to[0]).s12 ?? NaN;
        expect(Math.abs(haversineM(from, to) - geodesicM)).toBeLessThanOrEqual(HAVERSINE_ERROR * geodesicM);
      }),
      { numRuns: 2_000 },
    );
  });

  it('errs by nearly its bound along the meridian at the equator', () => {
    const geodesicM = wgs84.Inverse(-0.5, 0, 0.5, 0).s12 ?? NaN;
    expect(haversineM([0, -0.5], [0, 0.5]) / geodesicM - 1).toBeCloseTo(0.0056, 4);
  });
});

describe('geodesicBoundsM', () => {
  it('holds the geodesic between its bounds', () => {
    fc.assert(
      fc.property(pair, ({ from, to, geodesicM }) => {
        const [low, high] = geodesicBoundsM(from, to);
        return low <= geodesicM + 1e-6 && high >= geodesicM - 1e-6;
      }),
      { numRuns: 10_000 },
    );
  });

  it('is tight at any distance that an area has', () => {
    const [low, high] = geodesicBoundsM([0, 0], [0, 90]);
    expect(high - low).toBeLessThan(1_000);
    expect(low).toBeLessThan(QUARTER_MERIDIAN_M);
    expect(high).toBeGreaterThan(QUARTER_MERIDIAN_M);
  });

  it('is 0 between equal points', () => {
    expect(geodesicBoundsM([12, 34], [12, 34])).toEqual([0, 0]);
  });
});

describe('bandOf', () => {
  it('counts bands of 2 km from 0', () => {
    expect([0, 1_999.9, 2_000, 119_999, 120_000].map(bandOf)).toEqual([0, 0, 1, 59, 60]);
  });
});
