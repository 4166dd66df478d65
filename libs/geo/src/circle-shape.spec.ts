import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { circleShape } from './circle-shape.ts';
import { haversineM } from './distance.ts';
import type { LonLat } from './point.ts';

const wgs84 = geographiclib.Geodesic.WGS84;
const uniform = (min: number, max: number) =>
  fc.integer({ min: 0, max: 2 ** 30 }).map((k) => min + ((max - min) * k) / 2 ** 30);

function walk(from: LonLat, bearing: number, distanceM: number): LonLat {
  const { lon2 = NaN, lat2 = NaN } = wgs84.Direct(from[1], from[0], bearing, distanceM);
  return [lon2, lat2];
}

/** A centre, a cap beside it, and the point of the cap nearest to or furthest from the centre. */
const scene = fc
  .record({
    lon: uniform(-180, 180),
    lat: fc.oneof(uniform(-90, 90), fc.constantFrom(-90, 0, 90)),
    bearing: fc.oneof(uniform(0, 360), fc.constantFrom(0, 90, 180)),
    nearM: uniform(0, 4).map((power) => 100 * 10 ** power),
    capM: uniform(0, 3).map((power) => 1_000 * 10 ** power),
  })
  .map(({ lon, lat, bearing, nearM, capM }) => {
    const at = (distanceM: number) => walk([lon, lat], bearing, distanceM);
    return { center: [lon, lat] as const, near: at(nearM), middle: at(nearM + capM), far: at(nearM + 2 * capM) };
  });

const distanceM = (a: LonLat, b: LonLat) => wgs84.Inverse(a[1], a[0], b[1], b[0]).s12 ?? NaN;

describe('circleShape', () => {
  it('never calls a cap inside whose furthest point is not', () => {
    fc.assert(
      fc.property(scene, ({ center, middle, far }) => {
        const cap = { center: middle, radiusM: haversineM(middle, far) };
        const radiusM = distanceM(center, far) - 0.001;
        return circleShape({ kind: 'circle', center, radiusM })(cap) !== 'inside';
      }),
      { numRuns: 3_000 },
    );
  });

  it('never calls a cap outside whose nearest point is not', () => {
    fc.assert(
      fc.property(scene, ({ center, middle, near }) => {
        const cap = { center: middle, radiusM: haversineM(middle, near) };
        const radiusM = distanceM(center, near) + 0.001;
        return circleShape({ kind: 'circle', center, radiusM })(cap) !== 'outside';
      }),
      { numRuns: 3_000 },
    );
  });

  it('is sure of a cap 1 % clear of the circle', () => {
    fc.assert(
      fc.property(scene, ({ center, near, middle, far }) => {
        const clear = haversineM(near, far) * 0.01 + 100;
        const nearCap = { center: middle, radiusM: haversineM(middle, near) };
        const farCap = { center: middle, radiusM: haversineM(middle, far) };
        const smaller = Math.max(0, distanceM(center, near) * 0.999 - clear);
        const larger = distanceM(center, far) * 1.001 + clear;
        return (
          circleShape({ kind: 'circle', center, radiusM: larger })(farCap) === 'inside' &&
          (smaller === 0 || circleShape({ kind: 'circle', center, radiusM: smaller })(nearCap) === 'outside')
        );
      }),
      { numRuns: 3_000 },
    );
  });
});
