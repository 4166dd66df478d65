import fc from 'fast-check';
import type { Position } from 'geojson';
import geographiclib from 'geographiclib-geodesic';
import { cellToLatLng, getPentagons } from 'h3-js';
import { type Area, coarsen, type LonLat } from '#geo';

/*
 * Areas of every kind, anywhere, each with an oracle that shares nothing with the product: GeographicLib for distances, winding
 * numbers for polygons.
 */

/** Whether a point is inside; null for one so near the edge that rounding decides: a few nanometres. */
export type Oracle = (p: LonLat) => boolean | null;

export interface KnownArea {
  readonly area: Area;
  readonly inside: Oracle;
  /** A point beside the area's edge, often by micrometres. It may be out of range. */
  readonly beside: (probe: Probe) => LonLat;
}

export interface Probe {
  /** Place along the edge, 0–1. */
  readonly along: number;
  /** Distance off the edge as a part of a scale: 10^-10 … 1. */
  readonly off: number;
  readonly inward: boolean;
}

const wgs84 = geographiclib.Geodesic.WGS84;
// Globals are slow to reach from Jest's sandbox.
const { abs, atan2, cos, hypot, min, PI, sin, sqrt } = Math;
const RADIANS = PI / 180;

/** PostGIS and GeographicLib calculate a distance alike to about a nanometre. */
const DOUBT_M = 1e-7;
const DOUBT_DEGREES = 1e-11;

const unit = fc.integer({ min: 0, max: 2 ** 30 - 1 }).map((k) => k / 2 ** 30);
const between = (min: number, max: number) => unit.map((u) => min + (max - min) * u);
const logBetween = (min: number, max: number) => between(Math.log(min), Math.log(max)).map(Math.exp);

export const probesOf = (count: number) =>
  fc.array(
    fc.record({ along: unit, off: between(-10, 0).map((power) => 10 ** power), inward: fc.boolean() }),
    { minLength: count, maxLength: count }, // prettier-ignore
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
/** In one of the twelve pentagons of some resolution, or beside it. */
const inAPentagon = fc
  .tuple(fc.nat(11), fc.integer({ min: 0, max: 7 }), between(-0.05, 0.05), between(-0.05, 0.05))
  .map(([k, resolution, dLon, dLat]): LonLat => {
    const [lat, lon] = cellToLatLng(getPentagons(resolution)[k] ?? '');
    return [Math.max(-180, min(180, lon + dLon)), lat + dLat];
  });
const place = fc.oneof(anywhere, nearAPole, nearTheAntimeridian, inAPentagon);

/** Circles of these radii, metres. Every other one has a stored position on its edge, to within micrometres. */
export const circles = (minM: number, maxM: number): fc.Arbitrary<KnownArea> =>
  fc.record({ center: place, radiusM: logBetween(minM, maxM), bearing: unit, snapped: fc.option(between(-1e-5, 1e-5)) }).map(
    ({ center, radiusM: given, bearing, snapped }) => {
      const stored = coarsen(destination(center, bearing * 360, given));
      const storedM = distanceM(center, stored);
      const radiusM = snapped !== null && storedM > minM / 2 ? storedM + snapped : given;
      return {
        area: { kind: 'circle', center, radiusM },
        inside: (p) => within(distanceM(center, p), radiusM),
        beside: ({ along, off, inward }) => {
          const offM = off * Math.max(6_000, radiusM / 20);
          return destination(center, along * 360, Math.max(0, radiusM + (inward ? -offM : offM)));
        },
      };
    },
  ); // prettier-ignore

/** A star in the plane of longitude and latitude, with a hole of its own shape. */
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
      const middle = Math.max(size - 90, min(90 - size, lat));
      const ring = (scale: number) =>
        spokes.map((spoke, i): LonLat => {
          const angle = ((i + turn) / spokes.length) * 2 * PI;
          return [lon + scale * size * spoke * cos(angle), middle + scale * size * spoke * sin(angle)];
        });
      return { outer: ring(1), hole: ring(hole) };
    });

/** Stars with a hole, also around pentagons. */
export const stars: fc.Arbitrary<KnownArea> = fc
  .oneof(
    star(between(-150, 150), between(-90, 90)),
    inAPentagon.chain(([lon, lat]) => star(fc.constant(Math.max(-150, min(150, lon))), fc.constant(lat))),
  )
  .map((star) => ({
    area: { kind: 'polygon', polygon: { type: 'Polygon', coordinates: [closed(star.outer), closed(star.hole)] } },
    inside: oracleOf(star),
    beside: (probe) => besideStar(star, probe),
  }));

/** Stars with a hole over the antimeridian, cut there. */
export const cutStars: fc.Arbitrary<KnownArea> = star(between(170, 190), between(-90, 90)).map((star) => {
  const rings = [star.outer, star.hole];
  const west = rings.map((ring) => closed(clip(ring, 1)));
  const east = rings.map((ring) => closed(clip(ring, -1).map(([lon, lat]): LonLat => [lon - 360, lat])));
  const coordinates = [west, east]
    .map((rings) => rings.filter((ring) => ring.length > 3))
    .filter((rings) => rings.length > 0);
  const oracle = oracleOf(star);
  return {
    area: { kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates } },
    // ±180 is one meridian, and both parts hold it: where it cuts the hole it is the hole's edge, and that is inside.
    inside: ([lon, lat]) => {
      const p: LonLat = [lon < 0 ? lon + 360 : lon, lat];
      const says = oracle(p);
      return p[0] === 180 && says !== null ? winds(star.outer, p) : says;
    },
    beside: (probe) => besideStar(star, probe),
  };
});

/** Boxes whose corners and edges are on the grid of stored positions: those on an edge are inside, those on a hole's too. */
export const boxes: fc.Arbitrary<KnownArea> = fc
  .record({
    w: fc.oneof(fc.integer({ min: -18000, max: 17800 }), fc.constantFrom(-18000, 17900)),
    s: fc.oneof(fc.integer({ min: -9000, max: 8800 }), fc.constantFrom(-9000, 8900)),
    east: fc.integer({ min: 3, max: 100 }),
    north: fc.integer({ min: 3, max: 100 }),
  })
  .map(({ w, s, east, north }) => {
    const degrees = (k: number) => k / 100;
    const box = (w: number, s: number, e: number, n: number) =>
      [[w, s], [e, s], [e, n], [w, n], [w, s]].map((corner) => corner.map(degrees)); // prettier-ignore
    const [hw, hs, he, hn] = [w + 1, s + 1, w + east - 1, s + north - 1];
    const held = ([lon, lat]: LonLat) =>
      lon >= degrees(w) && lon <= degrees(w + east) && lat >= degrees(s) && lat <= degrees(s + north) &&
      !(lon > degrees(hw) && lon < degrees(he) && lat > degrees(hs) && lat < degrees(hn)); // prettier-ignore
    return {
      area: { kind: 'polygon', polygon: { type: 'Polygon', coordinates: [box(w, s, w + east, s + north), box(hw, hs, he, hn).reverse()] } }, // prettier-ignore
      // PostGIS takes what is within 1e-12 degrees of an edge to be on it; what is on it to the last bit is certain.
      inside: (p) => {
        const offs = [p[0] - degrees(w), p[0] - degrees(w + east), p[0] - degrees(hw), p[0] - degrees(he), p[1] - degrees(s), p[1] - degrees(s + north), p[1] - degrees(hs), p[1] - degrees(hn)]; // prettier-ignore
        if (abs(p[0]) === 180) return null; // One meridian by two names; it is stored as -180.
        return offs.some((off) => off !== 0 && abs(off) < DOUBT_DEGREES) ? null : held(p);
      },
      beside: ({ along, off, inward }) => {
        const side = Math.floor(along * 8) / 2;
        const t = (along * 8) % 1;
        const aside = (inward ? -0.02 : 0.02) * off;
        const [x1, y1, x2, y2] = side % 1 === 0 ? [w, s, w + east, s + north] : [hw, hs, he, hn];
        const [x, y] = [degrees(x1 + t * (x2 - x1)), degrees(y1 + t * (y2 - y1))];
        const edges: LonLat[] = [[x, degrees(y1) + aside], [degrees(x2) + aside, y], [x, degrees(y2) + aside], [degrees(x1) + aside, y]]; // prettier-ignore
        return edges[Math.floor(side)] ?? [NaN, NaN];
      },
    };
  });

/** Everything north of 78°. */
export const polarCap: KnownArea = {
  area: {
    kind: 'polygon',
    polygon: { type: 'Polygon', coordinates: [[[-180, 78], [180, 78], [180, 90], [-180, 90], [-180, 78]]] }, // prettier-ignore
  },
  inside: ([, lat]) => lat >= 78,
  beside: ({ along, off, inward }) => [along * 360 - 180, 78 + (inward ? off * 12 : -off)],
};

/** Lines that wander from anywhere, cut at the antimeridian, with corridors of every width along them. */
export const corridors: fc.Arbitrary<KnownArea> = fc
  .record({
    start: place,
    strides: fc.array(fc.record({ bearing: unit, m: logBetween(50, 500_000) }), { minLength: 1, maxLength: 12 }),
    withinM: fc.oneof(logBetween(500, 100_000), fc.constantFrom(500, 100_000)),
  })
  .map(({ start, strides, withinM }) => {
    const total = strides.reduce((sum, { m }) => sum + m, 0);
    const shrink = min(1, 2_500_000 / total);
    const walked = strides.reduce<LonLat[]>(
      ([...path], { bearing, m }) => {
        const [lon, lat] = path.at(-1) ?? start;
        const [toLon, toLat] = destination([0, lat], bearing * 360, m * shrink);
        // Beside a pole a short way is many degrees; a line of at most 60 of them.
        return [...path, [lon + Math.max(-60, min(60, toLon)), toLat]];
      },
      [start],
    );
    const path = walked.filter(([lon]) => lon > -200 && lon < 200);
    const lines = cutLine(path.length > 1 ? path : [start, start]);
    const [line] = lines;
    const area: Area =
      lines.length === 1 && line
        ? { kind: 'corridor', line: { type: 'LineString', coordinates: line }, withinM }
        : { kind: 'corridor', line: { type: 'MultiLineString', coordinates: lines }, withinM };
    const ready = lines.map((positions) => verticesOf(positions, withinM));
    return {
      area,
      inside: (p) => {
        const said = ready.map((vertices) => near(p, vertices, withinM));
        return said.includes(true) || (said.includes(null) ? null : false);
      },
      beside: ({ along, off, inward }) => {
        const all = ready.flatMap(({ at }) => at);
        const at = along * all.length;
        const i = min(Math.floor(at), all.length - 2);
        const [here, next] = [all[Math.max(0, i)] ?? start, all[i + 1] ?? start];
        const ahead = wgs84.Inverse(here[1], here[0], next[1], next[0]).azi1 ?? 0;
        const turn = at % 1 < 0.8 ? (at % 1 < 0.4 ? 90 : -90) : (at % 1) * 3600;
        const offM = off * Math.max(6_000, withinM / 5);
        return destination(here, ahead + turn, Math.max(0, withinM + (inward ? -offM : offM)));
      },
    };
  });

interface Vertices {
  readonly at: readonly LonLat[];
  readonly spots: readonly Spot[];
  readonly stepM: number;
}

/** On the ellipsoid, in metres from the earth's centre: a chord is never longer than the geodesic over it. */
type Spot = readonly [x: number, y: number, z: number];

const BUNCH = 64;

/** Whether some vertex is within so many metres; whole bunches that are far away by their chords get no closer look. */
function near(p: LonLat, { at, spots, stepM }: Vertices, withinM: number): boolean | null {
  const spot = spotOf(p);
  let doubtful = false;
  for (let from = 0; from < at.length; from += BUNCH) {
    if (chordM(spot, spots[from] ?? spot) > withinM + BUNCH * stepM) continue;
    for (let i = from; i < min(from + BUNCH, at.length); i++) {
      if (chordM(spot, spots[i] ?? spot) > withinM + DOUBT_M) continue;
      const says = within(distanceM(at[i] ?? p, p), withinM);
      if (says) return true;
      doubtful ||= says === null;
    }
  }
  return doubtful ? null : false;
}

function spotOf([lon, lat]: LonLat): Spot {
  const squared = 0.006_694_379_990_14;
  const [sine, cosine] = [sin(lat * RADIANS), cos(lat * RADIANS)];
  const normal = 6_378_137 / sqrt(1 - squared * sine ** 2);
  return [normal * cosine * cos(lon * RADIANS), normal * cosine * sin(lon * RADIANS), normal * (1 - squared) * sine]; // prettier-ignore
}

function chordM(a: Spot, b: Spot): number {
  return sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);
}

function verticesOf(positions: readonly Position[], withinM: number): Vertices {
  const at = dense(positions, withinM);
  return { at, spots: at.map(spotOf), stepM: sqrt(withinM) };
}

/** As `Corridor` defines: edges cut into equal parts in degrees, each at most √withinM metres by its bound. */
function dense(positions: readonly Position[], withinM: number): LonLat[] {
  const all: LonLat[] = [];
  for (let k = 1; k < positions.length; k++) {
    const [[x1 = NaN, y1 = NaN], [x2 = NaN, y2 = NaN]] = [positions[k - 1] ?? [], positions[k] ?? []];
    const lowest = y1 < 0 !== y2 < 0 && y1 !== 0 && y2 !== 0 ? 0 : min(abs(y1), abs(y2));
    const boundM = 6_399_594 * RADIANS * hypot((x2 - x1) * cos(lowest * RADIANS), y2 - y1);
    const n = Math.max(1, Math.ceil(boundM / sqrt(withinM)));
    for (let i = 0; i <= n; i++) all.push([x1 + (x2 - x1) * (i / n), y1 + (y2 - y1) * (i / n)]);
  }
  return all;
}

/** A line whose longitudes run on past ±180°, in parts within it. */
function cutLine(path: readonly LonLat[]): Position[][] {
  const parts: Position[][] = [[]];
  path.forEach(([lon, lat], k) => {
    const before = path[k - 1];
    const rim = before && [-180, 180].find((rim) => (before[0] - rim) * (lon - rim) < 0);
    if (before && rim !== undefined) {
      const cut = before[1] + ((rim - before[0]) / (lon - before[0])) * (lat - before[1]);
      parts.at(-1)?.push([abs(before[0]) > 180 ? -rim : rim, cut]);
      parts.push([[abs(lon) > 180 ? -rim : rim, cut]]);
    }
    parts.at(-1)?.push([wrap(lon), lat]);
  });
  return parts.filter((part) => part.length > 1);
}

function within(metres: number, limitM: number): boolean | null {
  return abs(metres - limitM) < DOUBT_M ? null : metres < limitM;
}

function distanceM(a: LonLat, b: LonLat): number {
  return wgs84.Inverse(a[1], a[0], b[1], b[0]).s12 ?? NaN;
}

function destination(from: LonLat, bearing: number, metres: number): LonLat {
  const { lon2 = NaN, lat2 = NaN } = wgs84.Direct(from[1], from[0], bearing, metres);
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
  const aside = ((inward ? -0.1 : 0.1) * off) / hypot(dx, dy);
  return [wrap(a[0] + t * dx - aside * dy), a[1] + t * dy + aside * dx];
}

function oracleOf({ outer, hole }: Star): Oracle {
  const edges = [...edgesOf(outer), ...edgesOf(hole)];
  return (p) => (edges.some((edge) => on(edge, p)) ? null : winds(outer, p) && !winds(hole, p));
}

function on([[x1, y1], [x2, y2]]: readonly [LonLat, LonLat], [x, y]: LonLat): boolean {
  const length = hypot(x2 - x1, y2 - y1);
  const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length;
  const aside = abs((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / length;
  return aside < DOUBT_DEGREES && along > -DOUBT_DEGREES && along < length + DOUBT_DEGREES;
}

/** Winding number by the sum of angles: unlike any crossing test. */
function winds(ring: readonly LonLat[], [x, y]: LonLat): boolean {
  const turned = edgesOf(ring).reduce((sum, [[x1, y1], [x2, y2]]) => {
    const [ax, ay, bx, by] = [x1 - x, y1 - y, x2 - x, y2 - y];
    return sum + atan2(ax * by - ay * bx, ax * bx + ay * by);
  }, 0);
  return abs(turned) > PI;
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

export function wrap(lon: number): number {
  return lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon;
}
