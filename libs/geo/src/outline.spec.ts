import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Position } from 'geojson';
import geodesic from 'geographiclib-geodesic';
import type { Circle } from './area.ts';
import { outline } from './outline.ts';

const circle = fc.record({
  kind: fc.constant('circle' as const),
  center: fc.tuple(fc.double({ min: -180, max: 180, noNaN: true }), fc.double({ min: -90, max: 90, noNaN: true })),
  radiusM: fc.double({ min: 100, max: 500_000, noNaN: true }),
});

function holds(area: Circle, lon: number, lat: number): boolean {
  const shape = outline(area);
  if (shape.type !== 'Polygon') throw new Error('one polygon');
  return [lon - 360, lon, lon + 360].some((each) => encloses(shape.coordinates[0] as Position[], each, lat));
}

/** Even-odd, the edges of a box along the poles counted in. */
function encloses(ring: readonly Position[], lon: number, lat: number): boolean {
  const y = Math.min(89.999999, Math.max(-89.999999, lat));
  let inside = false;
  for (const [i, [x2 = NaN, y2 = NaN]] of ring.slice(1).entries()) {
    const [x1 = NaN, y1 = NaN] = ring[i] as Position;
    if (y1 > y !== y2 > y && lon < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

describe('an outline', () => {
  it('holds every point of its circle, also at the poles and over the antimeridian', () => {
    fc.assert(
      fc.property(circle, fc.double({ min: -180, max: 180, noNaN: true }), (area, bearing) => {
        const rim = geodesic.Geodesic.WGS84.Direct(area.center[1], area.center[0], bearing, area.radiusM);
        expect(holds(area, rim.lon2 as number, rim.lat2 as number)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is hardly wider: a thousandth further out nobody is in it, but near a pole', () => {
    fc.assert(
      fc.property(circle, fc.double({ min: -180, max: 180, noNaN: true }), (area, bearing) => {
        fc.pre(Math.abs(area.center[1]) < 80);
        const { WGS84 } = geodesic.Geodesic;
        const far = WGS84.Direct(area.center[1], area.center[0], bearing, area.radiusM * 1.001 + 1);
        expect(holds(area, far.lon2 as number, far.lat2 as number)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('is the polygon of a polygon', () => {
    const polygon = { type: 'Polygon' as const, coordinates: [[[0, 0], [1, 0], [0, 1], [0, 0]]] }; // prettier-ignore
    expect(outline({ kind: 'polygon', polygon })).toBe(polygon);
  });
});
