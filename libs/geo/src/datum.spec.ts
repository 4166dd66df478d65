import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import gcoord from 'gcoord';
import { toWgs84 } from './datum.ts';
import { haversineM } from './distance.ts';
import { isLonLat, type LonLat } from './point.ts';

const { transform, CRSTypes } = gcoord as unknown as typeof gcoord.default;
const lon = fc.double({ min: -180, max: 180, noNaN: true });
const lat = fc.double({ min: -90, max: 90, noNaN: true });
const mainland = fc.tuple(
  fc.double({ min: 73.6, max: 134.7, noNaN: true }),
  fc.double({ min: 18.2, max: 53.5, noNaN: true }),
);

describe('toWgs84', () => {
  it('leaves WGS-84 alone', () => {
    expect(toWgs84([116.4, 39.9], 'wgs84')).toEqual([116.4, 39.9]);
  });

  it.each(['gcj02', 'bd09'] as const)('undoes the shift of %s to within a metre', (datum) => {
    const crs = datum === 'gcj02' ? CRSTypes.GCJ02 : CRSTypes.BD09;
    fc.assert(
      fc.property(mainland, (p) => {
        const [x = NaN, y = NaN] = transform([...p], CRSTypes.WGS84, crs);
        const shifted: LonLat = [x, y];
        // The least shift, of GCJ-02 in Qinghai, is some 18 m.
        expect(haversineM(shifted, p)).toBeGreaterThan(10);
        expect(haversineM(toWgs84(shifted, datum), p)).toBeLessThan(1);
      }),
    );
  });

  it.each<[string, LonLat]>([
    ['Paris', [2.35, 48.86]],
    ['Sydney', [151.21, -33.87]],
    ['Honolulu', [-157.86, 21.31]],
  ])('takes GCJ-02 in %s for WGS-84', (_, p) => {
    expect(toWgs84(p, 'gcj02')).toEqual(p);
  });

  it('stays in range for any point and datum', () => {
    fc.assert(
      fc.property(lon, lat, fc.constantFrom('gcj02' as const, 'bd09' as const), (x, y, datum) => {
        expect(isLonLat(toWgs84([x, y], datum))).toBe(true);
      }),
    );
  });

  // gcoord alone never returns from these; a process of its own can be ended.
  it('returns on the rim of the box', () => {
    const rim = [
      [72.0041, 30],
      [72.005, 0.83],
      [73, 0.83],
      [72.05, 50],
      [100, 0.8293],
      [100, 0.87],
    ];
    const script = `const { toWgs84 } = await import(${JSON.stringify(new URL('./datum.ts', import.meta.url).href)});
      for (const p of ${JSON.stringify(rim)}) toWgs84(p, 'gcj02');`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 });
    expect(status).toBe(0);
  });
});
