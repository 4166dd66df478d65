import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as h3 from 'h3-js';
import { blockOf, capOf, CELL_RESOLUTION, cellOf, NEST, wideCapOf } from './cell.ts';
import { haversineM } from './distance.ts';
import type { LonLat } from './point.ts';

const point = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 30 }).map((k) => (k / 2 ** 30) * 360 - 180),
  fc.integer({ min: 0, max: 2 ** 30 }).map((k) => (Math.asin((k / 2 ** 30) * 2 - 1) * 180) / Math.PI),
);
const resolution = fc.integer({ min: 0, max: CELL_RESOLUTION });
const pentagon = fc.integer({ min: 0, max: 11 });

/** Cells anywhere, and as many in the neighbourhoods of pentagons. */
const cell = fc.oneof(
  fc.tuple(point, resolution).map(([p, r]) => ({ r, id: h3.latLngToCell(p[1], p[0], r) })),
  fc.tuple(pentagon, resolution, fc.nat()).map(([k, r, n]) => {
    const around = h3.gridDisk(h3.getPentagons(r)[k] ?? '', 4);
    return { r, id: around[n % around.length] ?? '' };
  }),
);
const hex = (id: bigint) => id.toString(16);
const centreOf = (id: string): LonLat => lonLat(h3.cellToLatLng(id));
const lonLat = ([lat, lon]: [number, number]): LonLat => [lon, lat];

describe('cellOf', () => {
  it('is the H3 index, in 63 bits', () => {
    expect(hex(cellOf([116.4, 39.9]))).toBe(h3.latLngToCell(39.9, 116.4, CELL_RESOLUTION));
    fc.assert(fc.property(point, (p) => cellOf(p) > 0n && cellOf(p) < 1n << 63n));
  });
});

describe('blockOf', () => {
  it('runs from the first to the last stored cell under a cell', () => {
    fc.assert(
      fc.property(
        cell.filter(({ r }) => r >= 4),
        ({ r, id }) => {
          const under = h3.cellToChildren(id, CELL_RESOLUTION).map((child) => BigInt(`0x${child}`));
          const { lo, hi } = blockOf(id, r);
          expect(under.every((child) => child >= lo && child <= hi)).toBe(true);
          expect([under[0], under.at(-1)]).toEqual([lo, hi]);
        },
      ),
    );
  });

  it('holds a point’s cell for every ancestor of it, and for no other cell', () => {
    fc.assert(
      fc.property(point, cell, (p, { r, id }) => {
        const stored = cellOf(p);
        const { lo, hi } = blockOf(id, r);
        expect(stored >= lo && stored <= hi).toBe(h3.cellToParent(hex(stored), r) === id);
        const own = blockOf(h3.cellToParent(hex(stored), r), r);
        expect(stored >= own.lo && stored <= own.hi).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('capOf', () => {
  it('holds the points of descendants', () => {
    fc.assert(
      fc.property(point, resolution, (p, r) => {
        const cap = capOf(h3.cellToParent(hex(cellOf(p)), r), r);
        return haversineM(cap.center, p) <= cap.radiusM;
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds the furthest descendants’ vertices', () => {
    fc.assert(
      fc.property(cell, ({ r, id }) => {
        const cap = capOf(id, r);
        expect(furthestM(cap.center, id, r)).toBeLessThanOrEqual(cap.radiusM);
      }),
      { numRuns: 500 },
    );
  });

  it('lies within its parent’s, NEST times wider', () => {
    fc.assert(
      fc.property(
        cell.filter(({ r }) => r < CELL_RESOLUTION),
        ({ r, id }) => {
          const cap = capOf(id, r);
          const children = h3.cellToChildren(id, r + 1).map((child) => wideCapOf(child, r + 1));
          return children.every(({ center, radiusM }) => haversineM(cap.center, center) + radiusM < cap.radiusM * NEST);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('wideCapOf', () => {
  const holdsExactCap = (id: string, r: number) => {
    const [wide, exact] = [wideCapOf(id, r), capOf(id, r)];
    return wide.center[0] === exact.center[0] && wide.center[1] === exact.center[1] && wide.radiusM >= exact.radiusM;
  };

  it('holds the cap of every coarse cell', () => {
    for (let r = 0, ids = h3.getRes0Cells(); r <= 2; r++, ids = ids.flatMap((id) => h3.cellToChildren(id, r))) {
      expect(ids.filter((id) => !holdsExactCap(id, r))).toEqual([]);
    }
  });

  it('holds the cap of any cell', () => {
    fc.assert(
      fc.property(cell, ({ r, id }) => holdsExactCap(id, r)),
      { numRuns: 3_000 },
    );
  });
});

/** Keeps the few furthest children of each level. */
function furthestM(from: LonLat, id: string, r: number): number {
  let outermost = [id];
  for (let level = r + 1; level <= CELL_RESOLUTION; level++) {
    outermost = outermost
      .flatMap((parent) => h3.cellToChildren(parent, level))
      .map((child) => ({ child, metres: haversineM(from, centreOf(child)) }))
      .sort((a, b) => b.metres - a.metres)
      .slice(0, 4)
      .map(({ child }) => child);
  }
  const vertices = outermost.flatMap((leaf) => h3.cellToBoundary(leaf).map(lonLat));
  return Math.max(...vertices.map((vertex) => haversineM(from, vertex)));
}
