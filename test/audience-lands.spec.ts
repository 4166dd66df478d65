import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import type { MultiPolygon, Position } from 'geojson';
import { DataSource } from 'typeorm';
import { AudienceModule, type AudienceQuery, audienceStatement, type Lands } from '#audience';
import { type Area, type Corridor, lineOf, type LonLat, stretchesOf, vertexOf } from '#geo';
import { PlatformModule } from '#platform';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';

class TestModule {}

const box = (w: number, s: number, e: number, n: number): Position[] => [[w, s], [e, s], [e, n], [w, n], [w, s]]; // prettier-ignore

describe('an audience on several agencies’ land', () => {
  let database: TestDatabase;
  let context: INestApplicationContext;
  let source: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    const imports = [PlatformModule.forRoot(testEnv(database.url), 'test'), AudienceModule];
    context = await NestFactory.createApplicationContext({ module: TestModule, imports }, { logger: false });
    source = context.get(DataSource);
    // On both sides of the antimeridian too, and on the corners and edges of whole hundredths of a degree.
    const grid = Array.from({ length: 900 }, (_, i): LonLat => [
      113.9 + (i % 30) / 100,
      22.4 + Math.floor(i / 30) / 100,
    ]);
    await makeDevices(source, [
      ...scatter(3000, SHENZHEN, 70_000),
      ...scatter(1500, [180, -17], 90_000).map(wrap),
      ...grid,
    ]);
  });

  afterAll(async () => {
    await context?.close();
    await database?.drop();
  });

  type Standing = 'waiting' | 'closed' | null;

  const ask = async (area: Area, origin: LonLat, lands: Lands): Promise<[number, Standing][]> => {
    const query: AudienceQuery = { area, origin, lands, tier: 'critical', at: new Date() };
    const { sql, parameters } = await audienceStatement(query);
    const rows = await source.query<{ device_id: number; withheld: Standing }[]>(sql, [...parameters]);
    return rows.map((row): [number, Standing] => [row.device_id, row.withheld]).sort(([a], [b]) => a - b);
  };

  /** PostGIS alone, position by position. */
  const oracle = async (area: Area, { waiting, closed, only }: Lands): Promise<[number, Standing][]> => {
    const point = 'ST_SetSRID(ST_MakePoint(lon, lat), 4326)';
    const on = (n: number) => `coalesce(ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON($${n}::text), 4326), ${point}), false)`;
    const inside =
      area.kind === 'circle'
        ? `ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint(${area.center.join()})::geography, ${area.radiusM})`
        : area.kind === 'corridor'
          ? `EXISTS (SELECT FROM unnest('{${verticesOf(area).map(([lon]) => lon).join()}}'::float8[], '{${verticesOf(area).map(([, lat]) => lat).join()}}'::float8[]) AS vertex(x, y)
               WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint(x, y)::geography, ${area.withinM}))` // prettier-ignore
          : `ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON('${JSON.stringify(area.polygon)}'), 4326), ${point})`;
    const rows = await source.query<{ device_id: number; standing: Standing }[]>(
      `SELECT device_id, CASE WHEN ${on(1)} THEN 'closed' WHEN ${on(2)} THEN 'waiting' END AS standing
       FROM positions WHERE ${inside} AND ($3::text IS NULL OR ${on(3)}) ORDER BY device_id`,
      [closed, waiting, only].map((land) => (land ? JSON.stringify(land) : null)),
    );
    return rows.map((row): [number, Standing] => [row.device_id, row.standing]);
  };

  const holed: MultiPolygon = {
    type: 'MultiPolygon',
    coordinates: [
      [box(113.7, 22.3, 114.2, 22.8), box(113.95, 22.45, 114.05, 22.6).reverse()],
      [box(114.3, 22.2, 114.5, 22.5)],
    ],
  };
  const east: MultiPolygon = { type: 'MultiPolygon', coordinates: [[box(114.1, 22, 115, 23)]] };

  it('stands on the land of its position, the edge included, and closed land before waiting', async () => {
    const area: Area = { kind: 'circle', center: SHENZHEN, radiusM: 60_000 };
    const lands = { waiting: holed, closed: east };
    const audience = await ask(area, SHENZHEN, lands);
    expect(audience).toEqual(await oracle(area, lands));
    for (const standing of [null, 'waiting', 'closed']) {
      expect(audience.filter(([, each]) => each === standing).length).toBeGreaterThan(100);
    }
    const [edge] = await source.query<[{ device_id: number }]>(
      'SELECT device_id FROM positions WHERE lat = 22.6 AND lon BETWEEN 113.96 AND 114.04 LIMIT 1',
    );
    expect(new Map(audience).get(edge.device_id)).toBe('waiting');
  });

  it('is cut at the antimeridian', async () => {
    const area: Area = { kind: 'circle', center: [179.9, -17], radiusM: 70_000 };
    const waiting: MultiPolygon = {
      type: 'MultiPolygon',
      coordinates: [[box(179.5, -17.2, 180, -16.9)], [box(-180, -17.2, -179.8, -16.9)]],
    };
    const audience = await ask(area, [179.9, -17], { waiting });
    expect(audience).toEqual(await oracle(area, { waiting }));
    expect(audience.some(([, standing]) => standing === 'waiting')).toBe(true);
  });

  const lon = fc.double({ min: 113.3, max: 114.8, noNaN: true });
  const lat = fc.double({ min: 21.9, max: 23.2, noNaN: true });
  /** A star around a point: always valid, rarely convex; corners on the positions' own grid every other time. */
  const star = fc
    .tuple(
      lon,
      lat,
      fc.array(fc.double({ min: 0.01, max: 0.7, noNaN: true }), { minLength: 3, maxLength: 9 }),
      fc.boolean(),
    )
    .map(([x, y, reaches, snapped]): MultiPolygon => {
      const corners = reaches.map((reach, i): Position => {
        const angle = (2 * Math.PI * i) / reaches.length;
        const corner = [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
        return snapped && reaches.length === 4 ? corner.map((degrees) => Math.round(degrees * 100) / 100) : corner;
      });
      return { type: 'MultiPolygon', coordinates: [[[...corners, corners[0] as Position]]] };
    });
  const some = fc.option(star);
  const area = fc.oneof(
    fc.record({
      kind: fc.constant('circle' as const),
      center: fc.tuple(lon, lat),
      radiusM: fc.double({ min: 100, max: 90_000, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('polygon' as const), polygon: star }),
  );

  it('is what PostGIS says, whatever the area and the lands', async () => {
    await fc.assert(
      fc.asyncProperty(area, some, some, some, async (where, waiting, closed, only) => {
        const lands = { waiting, closed, only };
        expect(await ask(where, SHENZHEN, lands)).toEqual(await oracle(where, lands));
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('is so along a corridor, too', async () => {
    const near = fc.tuple(fc.double({ min: 113.9, max: 114.2, noNaN: true }), fc.double({ min: 22.4, max: 22.7, noNaN: true })); // prettier-ignore
    const corridor = fc.record({
      kind: fc.constant('corridor' as const),
      line: fc.record({ type: fc.constant('LineString' as const), coordinates: fc.array(near, { minLength: 2, maxLength: 3 }) }),
      withinM: fc.double({ min: 10_000, max: 40_000, noNaN: true }),
    }); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(corridor, some, some, some, async (where, waiting, closed, only) => {
        const lands = { waiting, closed, only };
        expect(await ask(where, SHENZHEN, lands)).toEqual(await oracle(where, lands));
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('costs nothing where no neighbour decides: the statement is the same', async () => {
    const query = { area: { kind: 'circle', center: SHENZHEN, radiusM: 120_000 }, origin: SHENZHEN, tier: 'critical', at: new Date() } as const; // prettier-ignore
    const { sql, parameters } = await audienceStatement(query);
    expect(await audienceStatement({ ...query, lands: undefined })).toEqual({ sql, parameters });
    expect(sql).not.toMatch(/land/);
  });
});

function verticesOf(area: Corridor): LonLat[] {
  const line = lineOf(area);
  return stretchesOf(line).flatMap(({ edge, to }) => Array.from({ length: to + 1 }, (_, i) => vertexOf(line, edge, i)));
}

function wrap([lon, lat]: LonLat): LonLat {
  return [((((lon + 180) % 360) + 360) % 360) - 180, lat];
}
