import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import geographiclib from 'geographiclib-geodesic';
import { cellToLatLng, cellToBoundary, getPentagons } from 'h3-js';
import { type Area, cellOf, type CellRange, cover, type Cover, isLonLat, type LonLat } from '#geo';

/*
 * The law of a cover, against oracles that share nothing with it: for every point, whole ⇒ inside, neither ⇒ outside.
 * Points are taken along the area's edge and from the cells of the whole ranges.
 */

const wgs84 = geographiclib.Geodesic.WGS84;
const RADIANS = Math.PI / 180;

/** A failure's seed and path are printed either way; shrinking it takes minutes. */
const unshrunk = { endOnFailure: true };

type Oracle = (p: LonLat) => boolean;
interface Probe {
  /** Place along the edge, 0–1. */
  readonly along: number;
  /** Signed distance off the edge as an exponent: ±(10^-6 … 1) of a scale. */
  readonly off: number;
  readonly inward: boolean;
}

const unit = fc.integer({ min: 0, max: 2 ** 30 - 1 }).map((k) => k / 2 ** 30);
const between = (min: number, max: number) => unit.map((u) => min + (max - min) * u);
const logBetween = (min: number, max: number) => between(Math.log(min), Math.log(max)).map(Math.exp);
const probes = fc.array(
  fc.record({ along: unit, off: between(-6, 0).map((power) => 10 ** power), inward: fc.boolean() }),
  {
    minLength: 150,
    maxLength: 150,
  },
);

const anywhere = fc.tuple(
  between(-180, 180),
  between(-1, 1).map((z) => Math.asin(z) / RADIANS),
);
const nearAPole = fc.tuple(between(-180, 180), fc.oneof(between(85, 90), between(-90, -85), fc.constantFrom(-90, 90)));
const nearTheAntimeridian = fc.tuple(
  fc.oneof(between(176, 180), between(-180, -176), fc.constantFrom(-180, 180)),
  between(-80, 80),
);
const inAPentagon = fc
  .tuple(fc.nat(11), fc.integer({ min: 0, max: 7 }), between(-0.05, 0.05), between(-0.05, 0.05))
  .map(([k, resolution, dLon, dLat]): LonLat => {
    const [lat, lon] = cellToLatLng(getPentagons(resolution)[k] ?? '');
    return [Math.max(-180, Math.min(180, lon + dLon)), lat + dLat];
  });
const center = fc.oneof(anywhere, nearAPole, nearTheAntimeridian, inAPentagon);

describe('the cover of a circle', () => {
  it('agrees with the geodesic distance at every point', () => {
    fc.assert(
      fc.property(center, logBetween(100, 2_000_000), probes, (center, radiusM, probes) => {
        const distanceM = (p: LonLat) => wgs84.Inverse(center[1], center[0], p[1], p[0]).s12 ?? NaN;
        const points = probes.map((probe) => besideCircle(center, radiusM, probe));
        expect(differences({ kind: 'circle', center, radiusM }, (p) => distanceM(p) <= radiusM, points)).toEqual([]);
      }),
      { numRuns: 60, ...unshrunk },
    );
  });

  it('does so for half the earth and more', () => {
    fc.assert(
      fc.property(center, between(16_000_000, 20_000_000), probes, (center, radiusM, probes) => {
        const distanceM = (p: LonLat) => wgs84.Inverse(center[1], center[0], p[1], p[0]).s12 ?? NaN;
        const points = probes.map((probe) => besideCircle(center, radiusM, probe));
        expect(differences({ kind: 'circle', center, radiusM }, (p) => distanceM(p) <= radiusM, points)).toEqual([]);
      }),
      { numRuns: 4, ...unshrunk },
    );
  });
});

/** A star in the plane of longitude and latitude around `lon`, `lat`, with a hole of its own shape. */
interface Star {
  readonly outer: readonly LonLat[];
  readonly hole: readonly LonLat[];
}

const star = (lon: fc.Arbitrary<number>, lat: fc.Arbitrary<number>) =>
  fc
    .record({
      lon,
      lat,
      size: logBetween(0.005, 15),
      spokes: fc.array(between(0.3, 1), { minLength: 3, maxLength: 40 }),
      turn: unit,
      hole: between(0.1, 0.8),
    })
    .map(({ lon, lat, size, spokes, turn, hole }): Star => {
      const middle = Math.max(size - 90, Math.min(90 - size, lat));
      const ring = (scale: number) =>
        spokes.map((spoke, i): LonLat => {
          const angle = ((i + turn) / spokes.length) * 2 * Math.PI;
          return [lon + scale * size * spoke * Math.cos(angle), middle + scale * size * spoke * Math.sin(angle)];
        });
      return { outer: ring(1), hole: ring(hole) };
    });

describe('the cover of a polygon', () => {
  it('agrees with straight edges in longitude and latitude, holes left out', () => {
    fc.assert(
      fc.property(star(between(-150, 150), between(-90, 90)), probes, (star, probes) => {
        const area: Area = {
          kind: 'polygon',
          polygon: { type: 'Polygon', coordinates: [closed(star.outer), closed(star.hole)] },
        };
        expect(
          differences(
            area,
            oracleOf(star),
            probes.map((probe) => besideStar(star, probe)),
          ),
        ).toEqual([]);
      }),
      { numRuns: 40, ...unshrunk },
    );
  });

  it('does so over the antimeridian, cut there', () => {
    fc.assert(
      fc.property(star(between(170, 190), between(-90, 90)), probes, (star, probes) => {
        const west = [star.outer, star.hole].map((ring) => closed(clip(ring, 1)));
        const east = [star.outer, star.hole].map((ring) =>
          closed(clip(ring, -1).map(([lon, lat]): LonLat => [lon - 360, lat])),
        );
        const coordinates = [west, east]
          .map((rings) => rings.filter((ring) => ring.length > 3))
          .filter((rings) => rings.length > 0);
        const area: Area = { kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates } };
        const unwrapped: Oracle = ([lon, lat]) => oracleOf(star)([lon < 0 ? lon + 360 : lon, lat]);
        expect(
          differences(
            area,
            unwrapped,
            probes.map((probe) => besideStar(star, probe)),
          ),
        ).toEqual([]);
      }),
      { numRuns: 30, ...unshrunk },
    );
  });

  it('does so around a pole', () => {
    const coordinates = [
      [
        [-180, 78],
        [180, 78],
        [180, 90],
        [-180, 90],
        [-180, 78],
      ],
    ];
    const area: Area = { kind: 'polygon', polygon: { type: 'Polygon', coordinates } };
    fc.assert(
      fc.property(probes, (probes) => {
        const points = probes.map(({ along, off, inward }): LonLat => [
          along * 360 - 180,
          78 + (inward ? off * 12 : -off),
        ]);
        expect(differences(area, ([, lat]) => lat >= 78, points)).toEqual([]);
      }),
      { numRuns: 3, ...unshrunk },
    );
  });
});

/** The points that the cover, with the oracle at its edge, puts on the wrong side. */
function differences(area: Area, oracle: Oracle, beside: readonly LonLat[]): LonLat[] {
  const { whole, edge } = cover(area);
  const points = [...beside.filter(isLonLat), ...pointsOf(whole)];
  return points.filter((p) => classified({ whole, edge }, p, oracle) !== oracle(p));
}

function classified({ whole, edge }: Cover, p: LonLat, oracle: Oracle): boolean {
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

/** Up to 6 km or a twentieth of the radius off the circle, mostly much less. */
function besideCircle(center: LonLat, radiusM: number, { along, off, inward }: Probe): LonLat {
  const offM = off * Math.max(6_000, radiusM / 20);
  const distanceM = Math.max(0, radiusM + (inward ? -offM : offM));
  const { lon2 = NaN, lat2 = NaN } = wgs84.Direct(center[1], center[0], along * 360, distanceM);
  return [lon2, lat2];
}

/** Up to a tenth of a degree off an edge of the star or its hole. */
function besideStar({ outer, hole }: Star, { along, off, inward }: Probe): LonLat {
  const edges = [...edgesOf(outer), ...edgesOf(hole)];
  const place = along * edges.length;
  const [a, b] = edges[Math.floor(place)] ?? [
    [NaN, NaN],
    [NaN, NaN],
  ];
  const t = place % 1;
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const aside = ((inward ? -0.1 : 0.1) * off) / Math.hypot(dx, dy);
  return [wrap(a[0] + t * dx - aside * dy), a[1] + t * dy + aside * dx];
}

function oracleOf({ outer, hole }: Star): Oracle {
  return (p) => winds(outer, p) && !winds(hole, p);
}

/** Winding number by the sum of angles: unlike any crossing test. */
function winds(ring: readonly LonLat[], [x, y]: LonLat): boolean {
  const turned = edgesOf(ring).reduce((sum, [[x1, y1], [x2, y2]]) => {
    const [ax, ay, bx, by] = [x1 - x, y1 - y, x2 - x, y2 - y];
    return sum + Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  }, 0);
  return Math.abs(turned) > Math.PI;
}

/** The part of a ring on one side of longitude 180 (Sutherland and Hodgman 1974). */
function clip(ring: readonly LonLat[], side: 1 | -1): LonLat[] {
  return edgesOf(ring).flatMap(([a, b]) => {
    const crosses = (a[0] - 180) * (b[0] - 180) < 0;
    const t = (180 - a[0]) / (b[0] - a[0]);
    const cut: LonLat[] = crosses ? [[180, a[1] + t * (b[1] - a[1])]] : [];
    return (b[0] - 180) * side <= 0 ? [...cut, b] : cut;
  });
}

function edgesOf(ring: readonly LonLat[]): (readonly [LonLat, LonLat])[] {
  return ring.map((a, i) => [a, ring[(i + 1) % ring.length] ?? a]);
}

function closed(ring: readonly LonLat[]): [number, number][] {
  return [...ring, ...ring.slice(0, 1)].map(([lon, lat]) => [lon, lat]);
}

function wrap(lon: number): number {
  return lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
}
