import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { AudienceModule, type AudienceQuery, audienceStatement, Audience, Devices, Positions } from '#audience';
import type { Area, Corridor, LonLat } from '#geo';
import { hashSecret, PlatformModule } from '#platform';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';

class TestModule {}

describe('audience', () => {
  let database: TestDatabase;
  let context: INestApplicationContext;
  let source: DataSource;
  let devices: Devices;

  beforeAll(async () => {
    database = await createTestDatabase();
    const imports = [PlatformModule.forRoot(testEnv(database.url), 'test'), AudienceModule];
    context = await NestFactory.createApplicationContext({ module: TestModule, imports }, { logger: false });
    source = context.get(DataSource);
    devices = context.get(Devices);
  });

  afterAll(async () => {
    await context?.close();
    await database?.drop();
  });

  beforeEach(() => source.query('TRUNCATE devices CASCADE'));

  interface Row {
    readonly device_id: number;
    readonly band: number;
    readonly withheld: string | null;
  }

  const ask = async (query: Partial<AudienceQuery> & Pick<AudienceQuery, 'area' | 'origin'>) => {
    const { sql, parameters } = await audienceStatement({ tier: 'critical', at: new Date(), ...query });
    return source.query<Row[]>(sql, [...parameters]);
  };

  const idsOf = (rows: readonly { device_id: number }[]) => rows.map((row) => row.device_id).sort((a, b) => a - b);

  /** PostGIS alone: geodesic for circles, straight edges for polygons. */
  const oracle = (area: Exclude<Area, Corridor>) =>
    area.kind === 'circle'
      ? source.query<{ device_id: number }[]>(
          `SELECT device_id FROM positions
           WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, $3)`,
          [...area.center, area.radiusM],
        )
      : source.query<{ device_id: number }[]>(
          `SELECT device_id FROM positions
           WHERE ST_Covers(ST_SetSRID(ST_GeomFromGeoJSON($1::text), 4326), ST_SetSRID(ST_MakePoint(lon, lat), 4326))`,
          [JSON.stringify(area.polygon)],
        );

  describe('is exactly who is inside, by PostGIS’s own word', () => {
    const places: [string, LonLat][] = [
      ['Shenzhen', SHENZHEN],
      ['Fiji, on the antimeridian', [179.97, -17.3]],
      ['Longyearbyen', [15.63, 78.22]],
      ['the North Pole', [0, 89.9]],
      ['the South Pole', [120, -89.95]],
    ];

    it.each(places)('circles around %s', async (_, center) => {
      await makeDevices(
        source,
        scatter(3000, center, 140_000)
          .filter(([, lat]) => Math.abs(lat) <= 90)
          .map(wrap),
      );
      for (const radiusM of [900, 20_000, 120_000]) {
        const area = { kind: 'circle', center, radiusM } as const;
        expect(idsOf(await ask({ area, origin: center }))).toEqual(idsOf(await oracle(area)));
      }
    });

    it('polygons with a hole, and on both sides of the antimeridian', async () => {
      await makeDevices(source, [...scatter(2000, SHENZHEN, 80_000), ...scatter(2000, [180, -17], 120_000).map(wrap)]);
      const box = (w: number, s: number, e: number, n: number) => [[w, s], [e, s], [e, n], [w, n], [w, s]]; // prettier-ignore
      const holed: Area = {
        kind: 'polygon',
        polygon: {
          type: 'Polygon',
          coordinates: [box(113.6, 22.2, 114.5, 22.9), box(114, 22.4, 114.2, 22.6).reverse()],
        },
      };
      const split: Area = {
        kind: 'polygon',
        polygon: {
          type: 'MultiPolygon',
          coordinates: [[box(179.3, -17.5, 180, -16.5)], [box(-180, -17.5, -179.2, -16.5)]],
        },
      };
      for (const area of [holed, split]) {
        const inside = idsOf(await ask({ area, origin: SHENZHEN }));
        expect(inside).toEqual(idsOf(await oracle(area)));
        expect(inside.length).toBeGreaterThan(100);
      }
    });

    it('any circle', async () => {
      await makeDevices(source, scatter(4000, SHENZHEN, 60_000));
      const circle = fc.record({ lon: fc.double({ min: 113.4, max: 114.7, noNaN: true }), lat: fc.double({ min: 22, max: 23, noNaN: true }), radiusM: fc.double({ min: 100, max: 90_000, noNaN: true }) }); // prettier-ignore
      await fc.assert(
        fc.asyncProperty(circle, async ({ lon, lat, radiusM }) => {
          const area: Area = { kind: 'circle', center: [lon, lat], radiusM };
          expect(idsOf(await ask({ area, origin: [lon, lat] }))).toEqual(idsOf(await oracle(area)));
        }),
        { numRuns: 40 },
      );
    });
  });

  it('looks only at the cells it needs, and never through the whole table', async () => {
    await makeDevices(source, [...scatter(4000, SHENZHEN, 100_000), ...scatter(26_000, [104.06, 30.67], 400_000)]);
    await source.query('VACUUM ANALYZE positions');
    const area = { kind: 'circle', center: SHENZHEN, radiusM: 120_000 } as const;
    const { sql, parameters } = await audienceStatement({ area, origin: SHENZHEN, tier: 'critical', at: new Date() });
    // What is asked of the rows, and how few the planner guesses to be left, must not turn the plan over.
    for (const asked of [sql, `SELECT count(*) FROM (${sql}) audience WHERE withheld IS NULL`]) {
      const plan = await source.query<Record<string, string>[]>(`EXPLAIN ${asked}`, [...parameters]);
      const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
      expect(lines).toContain('positions_cell');
      expect(lines).not.toContain('Seq Scan on positions');
    }
  });

  it('counts bands of 2 km by great-circle distance', async () => {
    await makeDevices(source, scatter(500, SHENZHEN, 100_000));
    const rows = await ask({ area: { kind: 'circle', center: SHENZHEN, radiusM: 120_000 }, origin: SHENZHEN });
    const distances = await source.query<{ device_id: number; metres: number }[]>(
      'SELECT device_id, ST_DistanceSphere(ST_MakePoint(lon, lat), ST_MakePoint($1, $2)) AS metres FROM positions',
      [...SHENZHEN],
    );
    const byId = new Map(distances.map((row) => [row.device_id, row.metres]));
    // The two spheres' radii differ by less than a metre in 120 km.
    for (const row of rows)
      expect(Math.abs((byId.get(row.device_id) as number) / 2000 - row.band - 0.5)).toBeLessThan(0.502);
  });

  describe('withholds', () => {
    const area: Area = { kind: 'circle', center: SHENZHEN, radiusM: 120_000 };
    const near: LonLat = SHENZHEN;
    const far: LonLat = [SHENZHEN[0] + 0.5, SHENZHEN[1]];
    const at = new Date('2026-03-01T16:30:00Z'); // 00:30 in Shanghai

    const reasonOf = async (
      tier: 'critical' | 'serious',
      place: LonLat,
      preferences: Parameters<Devices['prefer']>[1],
    ) => {
      const [device] = await makeDevices(source, [place]);
      await devices.prefer(device?.id as number, preferences);
      await source.query('UPDATE positions SET seen_at = $1', [at]);
      const [row] = await ask({ area, origin: SHENZHEN, tier, at });
      return row?.withheld;
    };

    const none = { optedOut: [], mutedUntil: null, quiet: null };
    const quiet = { from: 22 * 60, until: 7 * 60, zone: 'Asia/Shanghai' };

    it('nobody who asked for nothing', async () => {
      expect(await reasonOf('serious', far, none)).toBeNull();
    });

    it('who opted out of the tier, and only of it', async () => {
      expect(await reasonOf('serious', far, { ...none, optedOut: ['serious'] })).toBe('opted_out');
      await source.query('TRUNCATE devices CASCADE');
      expect(await reasonOf('critical', far, { ...none, optedOut: ['serious'] })).toBeNull();
    });

    it('who muted until later, not who muted until earlier', async () => {
      expect(await reasonOf('critical', near, { ...none, mutedUntil: new Date(at.getTime() + 1000) })).toBe('muted');
      await source.query('TRUNCATE devices CASCADE');
      expect(await reasonOf('critical', near, { ...none, mutedUntil: new Date(at.getTime() - 1000) })).toBeNull();
    });

    it('who has quiet hours over midnight, unless it is critical and near', async () => {
      expect(await reasonOf('serious', near, { ...none, quiet })).toBe('quiet_hours');
      await source.query('TRUNCATE devices CASCADE');
      expect(await reasonOf('critical', far, { ...none, quiet })).toBe('quiet_hours');
      await source.query('TRUNCATE devices CASCADE');
      expect(await reasonOf('critical', near, { ...none, quiet })).toBeNull();
      await source.query('TRUNCATE devices CASCADE');
      expect(await reasonOf('serious', near, { ...none, quiet: { ...quiet, until: 24 } })).toBeNull();
    });
  });

  it('forgets who has not been heard of for 30 days', async () => {
    await makeDevices(source, [SHENZHEN], 29);
    await makeDevices(source, [SHENZHEN], 31);
    const rows = await ask({ area: { kind: 'circle', center: SHENZHEN, radiusM: 5_000 }, origin: SHENZHEN });
    expect(rows).toHaveLength(1);
  });

  it('deletes where a device was after 30 days, and nothing else of it', async () => {
    await makeDevices(source, [SHENZHEN, SHENZHEN], 31);
    await makeDevices(source, [SHENZHEN], 29);
    expect(await devices.forgetStalePlaces()).toBe(2);
    const [row] = await source.query<[{ placed: number; devices: number }]>(
      'SELECT count(cell) AS placed, count(*) AS devices FROM positions',
    );
    expect(row).toEqual({ placed: 1, devices: 3 });
  });

  it('previews about how many there are, the same however often it is asked', async () => {
    const query = { area: { kind: 'circle', center: SHENZHEN, radiusM: 120_000 }, origin: SHENZHEN, tier: 'critical', at: new Date() } as const; // prettier-ignore
    const preview = () => context.get(Audience).preview(query);
    expect(await preview()).toMatchObject({ reached: null, withheld: null, medianAgeDays: null });
    await makeDevices(source, scatter(6000, SHENZHEN, 100_000));
    const first = await preview();
    expect(Math.abs((first.reached ?? 0) - 6000)).toBeLessThanOrEqual(300);
    expect(first.medianAgeDays).toBe(0);
    expect(await preview()).toEqual(first);
  });

  it('refuses what would locate a phone: a part smaller than a position is fine', async () => {
    const square = (lon: number, lat: number, size: number) => [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]; // prettier-ignore
    const coordinates = [[square(114, 22.5, 0.2)], [square(115, 22.5, 0.005)]];
    const area: Area = { kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates } };
    const asking = source.transaction((tx) => context.get(Audience).demandSound(tx, area));
    await expect(asking).rejects.toMatchObject({ code: 'area_invalid' });
  });

  describe('devices', () => {
    const registration = { provider: 'fcm', platform: 'android', token: 'sim:one', language: 'en' } as const;

    it('are kept by the hash of their secret, at a coarse place', async () => {
      const secret = await devices.register(registration);
      const secretHash = hashSecret(secret).toString('hex');
      expect(await context.get(Positions).move(secretHash, [114.061234, 22.543219])).toBe(true);
      const [row] = await source.query<[Record<string, unknown>]>(
        'SELECT d.secret_hash, p.lon, p.lat FROM devices d JOIN positions p ON p.device_id = d.id',
      );
      expect(String(row['secret_hash'])).not.toContain(secret);
      expect(row['lat']).toBe(22.54);
      expect(Math.abs((row['lon'] as number) - 114.061234)).toBeGreaterThan(1e-6);
      expect(await devices.authenticate(`${secret}x`)).toBeNull();
    });

    it('replace themselves when they register their token again', async () => {
      const first = await devices.register(registration);
      const second = await devices.register(registration);
      expect(await devices.authenticate(first)).toBeNull();
      expect(await devices.authenticate(second)).not.toBeNull();
    });

    it('register one token once, however many ask at the same time', async () => {
      await Promise.all(Array.from({ length: 8 }, () => devices.register(registration)));
      const [row] = await source.query<[{ rows: number }]>('SELECT count(*) AS rows FROM devices');
      expect(row.rows).toBe(1);
    });

    it('are simulated in a demonstration, and real elsewhere', async () => {
      const real = { ...registration, token: 'dGVzdA:APA91b' };
      await expect(devices.register(real)).rejects.toMatchObject({ code: 'token_unfit' });
    });

    it('may not name a zone that the database reads otherwise', async () => {
      const device = await devices.authenticate(await devices.register(registration));
      for (const zone of ['US/Pacific-New', '+08:00', 'Mars/Olympus']) {
        const preferences = { optedOut: [], mutedUntil: null, quiet: { from: 1, until: 2, zone } };
        await expect(devices.prefer(device?.id as number, preferences)).rejects.toMatchObject({ code: 'zone_unknown' });
      }
    });

    it('leave nothing behind', async () => {
      const secret = await devices.register(registration);
      const device = await devices.authenticate(secret);
      await devices.forget(device?.id as number);
      const [row] = await source.query<[{ rows: number }]>(
        'SELECT (SELECT count(*) FROM devices) + (SELECT count(*) FROM positions) AS rows',
      );
      expect(row.rows).toBe(0);
    });
  });
});

function wrap([lon, lat]: LonLat): LonLat {
  return [((((lon + 180) % 360) + 360) % 360) - 180, lat];
}
