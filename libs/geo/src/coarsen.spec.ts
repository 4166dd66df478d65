import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { coarsen } from './coarsen.ts';
import type { LonLat } from './point.ts';

const wgs84 = geographiclib.Geodesic.WGS84;
const metres = (a: LonLat, b: LonLat) => wgs84.Inverse(a[1], a[0], b[1], b[0]).s12 ?? NaN;
const uniform = (min: number, max: number) =>
  fc.integer({ min: 0, max: 2 ** 30 }).map((k) => min + ((max - min) * k) / 2 ** 30);

const lat = fc.oneof(
  uniform(-90, 90),
  uniform(89.9, 90),
  uniform(-90, -89.9),
  fc.constantFrom(-90, -0.005, 0, 89.995, 90),
);
const lon = fc.oneof(uniform(-180, 180), uniform(179.98, 180), uniform(-180, -179.98), fc.constantFrom(-180, 0, 180));
const point = fc.tuple(lon, lat);
const runs = { numRuns: 5_000 };

describe('coarsen', () => {
  it('snaps a snapped position to itself, exactly', () => {
    fc.assert(
      fc.property(point, (p) => {
        const snapped = coarsen(p);
        return Object.is(coarsen(snapped)[0], snapped[0]) && Object.is(coarsen(snapped)[1], snapped[1]);
      }),
      runs,
    );
  });

  it('stays within 0.8 km and in range', () => {
    fc.assert(
      fc.property(point, (p) => {
        const [lon, lat] = coarsen(p);
        return metres(p, [lon, lat]) < 800 && lon >= -180 && lon < 180 && Math.abs(lat) <= 90;
      }),
      runs,
    );
  });

  it('gives one answer over the antimeridian and at a pole', () => {
    expect(coarsen([180, 12.34])).toEqual(coarsen([-180, 12.34]));
    expect(coarsen([179.9999, 60])).toEqual(coarsen([-179.9999, 60]));
    expect(coarsen([17, 90])).toEqual(coarsen([-120, 89.999]));
  });

  it('is coarse: the next grid point is about 1.1 km away at any latitude', () => {
    fc.assert(
      fc.property(uniform(-89.5, 89.5), uniform(-179, 179), (lat, lon) => {
        const here = coarsen([lon, lat]);
        const kilometreEast = 1_113 / (111_195 * Math.cos((here[1] * Math.PI) / 180));
        const east = coarsen([here[0] + kilometreEast, here[1]]);
        const north = coarsen([here[0], here[1] + 0.01]);
        return metres(here, east) > 1_050 && metres(here, north) > 1_050;
      }),
      runs,
    );
  });

  it('never answers -0', () => {
    expect(Object.is(coarsen([-0.001, -0.001])[1], 0)).toBe(true);
  });
});
