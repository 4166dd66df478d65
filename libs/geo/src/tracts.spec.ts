import { describe, expect, it } from '@jest/globals';
import type { Area } from './area.ts';
import { cellOf } from './cell.ts';
import { tractsOf } from './tracts.ts';

const circle = (radiusM: number, lon = 114.06, lat = 22.54): Area => ({ kind: 'circle', center: [lon, lat], radiusM });

describe('tracts', () => {
  it.each([
    [20_000, 36.13],
    [120_000, 252.9],
    [400_000, 1770],
  ])('of a circle of %i m take about its size', (radiusM, km2) => {
    const { tracts } = tractsOf(circle(radiusM));
    const share = tracts.reduce((sum, tract) => sum + tract.share, 0);
    // Hexagons here are some per cent larger or smaller than the average.
    expect((share * km2) / ((Math.PI * radiusM ** 2) / 1e6)).toBeGreaterThan(0.8);
    expect((share * km2) / ((Math.PI * radiusM ** 2) / 1e6)).toBeLessThan(1.2);
    expect(tracts.length).toBeLessThan(600);
  });

  it('are the same whatever is asked, and hold the stored cells in them', () => {
    const places = [0, 0.01, 0.02, 0.05].map((east) => tractsOf(circle(9_000, 114.06 + east)));
    const cell = cellOf([114.07, 22.55]);
    const held = places.map(({ tracts }) => tracts.find(({ cells }) => cell >= cells.lo && cell <= cells.hi));
    expect(new Set(held.map((tract) => tract?.id)).size).toBe(1);
    for (const { shift } of places) expect(cell >> BigInt(shift)).toBe(held[0]?.id);
    const { tracts } = places[0] ?? { tracts: [] };
    expect(new Set(tracts.map(({ id }) => id)).size).toBe(tracts.length);
  });

  it('of a small area is one that it takes little of', () => {
    const { tracts } = tractsOf(circle(1_000));
    expect(tracts.length).toBeLessThanOrEqual(3);
    expect(tracts.reduce((sum, { share }) => sum + share, 0)).toBeLessThan(0.2);
  });

  it('of polygons and of both sides of the antimeridian are found, too', () => {
    const box: Area = {
      kind: 'polygon',
      polygon: { type: 'Polygon', coordinates: [[[114, 22], [114.5, 22], [114.5, 22.5], [114, 22.5], [114, 22]]] }, // prettier-ignore
    };
    expect(tractsOf(box).tracts.length).toBeGreaterThan(50);
    expect(tractsOf(circle(30_000, 179.99, -17)).tracts.length).toBeGreaterThan(50);
  });
});
