import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cellToBoundary, cellToLatLng } from 'h3-js';
import { cellOf, type CellRange, cover, type Cover, isLonLat, type LonLat } from '#geo';
import { boxes, circles, corridors, cutStars, type KnownArea, type Oracle, polarCap, probesOf, stars, wrap } from './harness/areas.ts'; // prettier-ignore

/*
 * The law of a cover, against oracles that share nothing with it: for every point, whole ⇒ inside, neither ⇒ outside.
 * Points are taken along the area's edge and from the cells of the whole ranges.
 */

/** A failure's seed and path are printed either way; shrinking it takes minutes. */
const unshrunk = { endOnFailure: true };
const probes = probesOf(150);

describe('a cover agrees with the oracle at every point, for', () => {
  it.each<[string, fc.Arbitrary<KnownArea>, number]>([
    ['circles', circles(100, 2_000_000), 60],
    ['circles of half the earth and more', circles(16_000_000, 20_000_000), 4],
    ['stars with a hole', stars, 40],
    ['stars over the antimeridian', cutStars, 30],
    ['boxes on the grid of stored positions', boxes, 30],
    ['a pole', fc.constant(polarCap), 3],
    ['corridors', corridors, 40],
  ])('%s', (_, areas, numRuns) => {
    fc.assert(
      fc.property(areas, probes, (known, probes) => {
        expect(differences(known, probes.map(known.beside))).toEqual([]);
      }),
      { numRuns, ...unshrunk },
    );
  });
});

/** The points that the cover, with the oracle at its edge, puts on the wrong side. */
function differences({ area, inside }: KnownArea, beside: readonly LonLat[]): LonLat[] {
  const { whole, edge } = cover(area);
  const points = [...beside.filter(isLonLat), ...pointsOf(whole)];
  return points.filter((p) => inside(p) !== null && classified({ whole, edge }, p, inside) !== inside(p));
}

function classified({ whole, edge }: Cover, p: LonLat, oracle: Oracle): boolean | null {
  const id = cellOf(p);
  return holds(whole, id) || (holds(edge, id) && oracle(p));
}

function holds(ranges: readonly CellRange[], id: bigint): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.hi ?? id) < id) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range.lo <= id && id <= range.hi;
}

/** Points just inside the corners of the first and last cells of some whole ranges, the likeliest to stick out. */
function pointsOf(whole: readonly CellRange[]): LonLat[] {
  const step = Math.ceil(whole.length / 10);
  const some = whole.filter((_, i) => i % step === 0);
  return some.flatMap(({ lo, hi }) => [...corners(lo), ...corners(hi)]);
}

function corners(id: bigint): LonLat[] {
  const cell = id.toString(16);
  const [lat, lon] = cellToLatLng(cell);
  return cellToBoundary(cell).map(([cornerLat, cornerLon]): LonLat => {
    const dLon = ((cornerLon - lon + 540) % 360) - 180;
    return [wrap(lon + 0.999 * dLon), lat + 0.999 * (cornerLat - lat)];
  });
}
