import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { type AudienceQuery, audienceStatement } from '#audience';
import { cellOf, coarsen, isLonLat, type LonLat } from '#geo';
import {
  boxes,
  circles,
  corridors,
  cutStars,
  type KnownArea,
  polarCap,
  type Probe,
  probesOf,
  stars,
} from './harness/areas.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { makeDevices } from './harness/fixtures.ts';

/*
 * The whole path, from an area to the devices in it: covers, ranges and PostGIS together, against oracles that share nothing with
 * them. Several areas at a time are asked of all their points together, those of the others included.
 *
 * `EXACT_RUNS` rounds (default 2) of each kind, `EXACT_SEED` to repeat one.
 */

const RUNS = Number(process.env['EXACT_RUNS'] ?? 2);
const SEED = process.env['EXACT_SEED'];
const AREAS = 6;
const PROBES = 250;

interface Asked {
  readonly known: KnownArea;
  readonly probes: Probe[];
}

describe('who is inside, by the whole path, is exactly who the oracle says, for', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ids: number[];
  const tally = { points: 0, onEdge: 0, inside: 0 };

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const places = Array.from({ length: AREAS * PROBES * 2 }, (): LonLat => [0, 0]);
    ids = (await makeDevices(source, places)).map(({ id }) => Number(id));
  });

  afterAll(async () => {
    // For deep runs: how much was compared.
    if (process.env['EXACT_RUNS']) process.stderr.write(`${JSON.stringify(tally)}\n`);
    await source?.destroy();
    await database?.drop();
  });

  const place = async (points: readonly LonLat[]) => {
    await source.query('TRUNCATE positions');
    await source.query(
      `INSERT INTO positions (device_id, provider, cell, lon, lat, seen_at) SELECT id, 'fcm', cell, lon, lat, now()
       FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[]) AS place(id, cell, lon, lat)`,
      [ids.slice(0, points.length), points.map(cellOf), points.map(([lon]) => lon), points.map(([, lat]) => lat)],
    );
  };

  const ask = async ({ area }: KnownArea): Promise<ReadonlySet<number>> => {
    const query: AudienceQuery = { area, origin: [0, 0], tier: 'critical', at: new Date() };
    const { sql, parameters } = await audienceStatement(query);
    const rows = await source.query<{ device_id: number }[]>(`SELECT device_id FROM (${sql}) a`, [...parameters]);
    expect(new Set(rows.map((row) => row.device_id)).size).toBe(rows.length);
    return new Set(rows.map((row) => Number(row.device_id)));
  };

  it.each<[string, fc.Arbitrary<KnownArea>, number]>([
    ['circles from 100 m to 2 000 km', circles(100, 2_000_000), 2 * RUNS],
    ['circles of half the earth and more', circles(16_000_000, 20_000_000), Math.ceil(RUNS / 6)],
    ['polygons with a hole', stars, RUNS],
    ['polygons over the antimeridian', cutStars, RUNS],
    ['boxes on the grid of stored positions', boxes, RUNS],
    ['a pole', fc.constant(polarCap), Math.ceil(RUNS / 6)],
    ['corridors', corridors, 2 * RUNS],
  ])(
    '%s',
    async (_, areas, numRuns) => {
      const asked = fc.array(fc.record({ known: areas, probes: probesOf(PROBES) }), { minLength: AREAS, maxLength: AREAS }); // prettier-ignore
      await fc.assert(
        fc.asyncProperty(asked, async (asked: Asked[]) => {
          const beside = asked.flatMap(({ known, probes }) => probes.map(known.beside)).filter(isLonLat);
          const points = [...beside, ...beside.map(coarsen)];
          await place(points);
          for (const { known } of asked) {
            const inside = await ask(known);
            const wrong = points.filter((p, i) => {
              const says = known.inside(p);
              tally.points++;
              if (says === null) tally.onEdge++;
              if (says) tally.inside++;
              return says !== null && says !== inside.has(ids[i] ?? NaN);
            });
            expect({ area: known.area, wrong }).toEqual({ area: known.area, wrong: [] });
          }
        }),
        { numRuns, endOnFailure: true, ...(SEED ? { seed: Number(SEED) } : {}) },
      );
    },
    3_600_000,
  );
});
