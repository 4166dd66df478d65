import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { Audience, AudienceModule, type AudiencePreview, Positions, type Lands } from '#audience';
import { type Area, cellOf, coarsen, haversineM, type LonLat, tractsOf } from '#geo';
import { Blur, PlatformModule } from '#platform';
import { toldOf } from '../apps/api/src/cases/cases.schemas.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';
import { makeDevices, type PlacedDevice, scatter, SHENZHEN } from './harness/fixtures.ts';

class TestModule {}

/** Draws the same numbers in every run (mulberry32). */
function drawing(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const circle = (center: LonLat, radiusM: number): Area => ({ kind: 'circle', center, radiusM });
const shifted = ([lon, lat]: LonLat, eastM: number, northM: number): LonLat => [
  lon + eastM / (111_320 * Math.cos((lat * Math.PI) / 180)),
  lat + northM / 111_320,
];
const box = (at: LonLat, widthM: number, heightM: number) => {
  const corner = (e: number, n: number) => [...shifted(at, (e * widthM) / 2, (n * heightM) / 2)];
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)];
};
const polygon = (...rings: number[][][]): Area => ({
  kind: 'polygon',
  polygon: { type: 'Polygon', coordinates: rings },
});

/** What an officer asks who wants to know whether a phone is at `home`: without any limit on how often. */
function attacks(home: LonLat, random: () => number): Area[] {
  const asked: Area[] = [];
  // Nested circles, in many small steps.
  for (let radiusM = 100; radiusM < 12_000; radiusM *= 1.3) asked.push(circle(home, radiusM));
  // A circle that is slid over the home, and away from it.
  for (let east = -6_000; east <= 6_000; east += 600) asked.push(circle(shifted(home, east, 0), 3_000));
  // Large circles whose edge passes just this and that side of the home.
  for (const radiusM of [20_000, 60_000, 120_000]) {
    for (const step of [-800, -300, 0, 300, 800]) asked.push(circle(shifted(home, radiusM + step, 0), radiusM));
  }
  // Boxes with and without a hole of a kilometre around the home; slivers through it.
  for (const size of [4_000, 9_000, 30_000, 200_000]) {
    asked.push(polygon(box(home, size, size)), polygon(box(home, size, size), box(home, 1_000, 1_000).reverse()));
    asked.push(polygon(box(home, size, 700)), polygon(box(shifted(home, 0, 900), size, 700)));
  }
  // Two far parts, one of which is the home.
  const parts = [[box(shifted(home, 80_000, 0), 30_000, 30_000)], [box(home, 2_000, 2_000)]];
  asked.push({ kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates: parts } });
  // Whatever else.
  for (let n = 0; n < 30; n++) {
    const off = () => (random() - 0.5) * 20_000;
    asked.push(circle(shifted(home, off(), off()), 100 + random() ** 3 * 60_000));
  }
  return asked;
}

jest.setTimeout(90_000);

describe('an officer who subtracts areas', () => {
  const random = drawing(72);
  let database: TestDatabase;
  let context: INestApplicationContext;
  let source: DataSource;
  let target: PlacedDevice;
  const at = new Date();

  beforeAll(async () => {
    database = await createTestDatabase();
    const imports = [PlatformModule.forRoot(testEnv(database.url), 'test'), AudienceModule];
    context = await NestFactory.createApplicationContext({ module: TestModule, imports }, { logger: false });
    source = context.get(DataSource);
  });

  afterAll(async () => {
    await context?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    await source.query('TRUNCATE devices CASCADE');
    await makeDevices(source, [...scatter(1500, SHENZHEN, 9_000, random), ...scatter(1500, SHENZHEN, 130_000, random)]);
    [target] = (await makeDevices(source, [SHENZHEN])) as [PlacedDevice];
    // Everyone was heard of at the same time, in whole hours, so that a move alone changes nothing else.
    await source.query(`UPDATE positions SET seen_at = $1::timestamptz - interval '5 hours'`, [at]);
  });

  const ask = (area: Area, lands?: Lands): Promise<AudiencePreview> =>
    context.get(Audience).preview({ area, origin: SHENZHEN, tier: 'critical', at, lands });

  async function askAll(areas: readonly Area[], lands?: Lands): Promise<AudiencePreview[]> {
    const answers: AudiencePreview[] = [];
    for (const area of areas) answers.push(await ask(area, lands));
    return answers;
  }

  async function move(place: LonLat): Promise<void> {
    const hashes = await source.query<[{ hash: string }]>(
      `SELECT encode(secret_hash, 'hex') AS hash FROM devices WHERE id = $1`,
      [target.id],
    );
    expect(await context.get(Positions).move(hashes[0].hash, place)).toBe(true);
    await source.query(`UPDATE positions SET seen_at = $1::timestamptz - interval '5 hours'`, [at]);
  }

  /** The finest tract around a place. */
  const tractOf = (place: LonLat) => {
    const { tracts } = tractsOf(circle(place, 500));
    const cell = cellOf(coarsen(place));
    return tracts.find(({ cells }) => cell >= cells.lo && cell <= cells.hi)?.id;
  };

  /** Places of the home's tract that are kilometres from it. */
  const elsewhereInTract = () => {
    const places = scatter(400, SHENZHEN, 7_000, random).map(coarsen);
    return places.filter((place) => tractOf(place) === tractOf(SHENZHEN) && haversineM(place, SHENZHEN) > 2_500);
  };

  it('learns nothing of where in its tract of 36 km² a phone is, whatever is asked', async () => {
    const areas = attacks(SHENZHEN, random);
    expect(areas.length).toBeGreaterThan(90);
    const athome = await askAll(areas);
    expect(athome.some(({ reached }) => (reached ?? 0) > 1000)).toBe(true);
    const [elsewhere] = elsewhereInTract();
    await move(elsewhere as LonLat);
    expect(await askAll(areas)).toEqual(athome);
  });

  it('learns no more by what is withheld: a phone that mutes itself shows in one tract of ten', async () => {
    const areas = attacks(SHENZHEN, random).slice(0, 50);
    await source.query(
      `UPDATE positions SET muted_until = now() + interval '1 day' WHERE device_id % 4 = 0 OR device_id = $1`,
      [target.id],
    );
    const before = await askAll(areas);
    await move(elsewhereInTract()[0] as LonLat);
    expect(await askAll(areas)).toEqual(before);
  });

  it('seldom learns even whether a phone is in a tract at all', async () => {
    const homes = scatter(30, SHENZHEN, 60_000, random).map(coarsen);
    const far: LonLat = [110, 20];
    let told = 0;
    for (const home of homes) {
      const areas = [circle(home, 3_000), circle(home, 6_000), circle(home, 20_000)];
      await move(far);
      const absent = await askAll(areas);
      await move(home);
      const present = await askAll(areas);
      if (JSON.stringify(absent) !== JSON.stringify(present)) told += 1;
    }
    expect(told).toBeLessThanOrEqual(8);
  });

  it('is told the same however often it asks', async () => {
    const answers = await askAll(Array<Area>(10).fill(circle(SHENZHEN, 5_000)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('learns no age of few positions', async () => {
    await source.query('DELETE FROM devices WHERE id <> $1', [target.id]);
    await makeDevices(source, scatter(48, SHENZHEN, 1_000, random), 3);
    expect(await ask(circle(SHENZHEN, 3_000))).toMatchObject({ medianAgeDays: null });
  });

  it('is told about as many as there are, all the same', async () => {
    for (const radiusM of [9_000, 30_000, 120_000]) {
      const [{ inside }] = await source.query<[{ inside: number }]>(
        `SELECT count(*)::int AS inside FROM positions
         WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, $3)`,
        [...SHENZHEN, radiusM],
      );
      const { reached } = await ask(circle(SHENZHEN, radiusM));
      expect(Math.abs((reached ?? 0) / inside - 1)).toBeLessThan(0.2);
    }
  });

  it('cannot make out from a release whether it asked nobody or nine', () => {
    const blur = context.get(Blur, { strict: false });
    const released = { alertId: randomUUID(), slug: 'x', waiting: null, closed: null };
    const nobody = toldOf({ ...released, targeted: 0, withheld: {} }, blur);
    expect(toldOf({ ...released, targeted: 9, withheld: { muted: 9, daily_cap: 1 } }, blur)).toEqual(nobody);
    expect(toldOf({ ...released, targeted: 17, withheld: { muted: 30 } }, blur)).toMatchObject({
      withheld: { muted: 30 },
    });
  });
});
