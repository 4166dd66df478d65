import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { Devices, Positions } from '#audience';
import { coarsen, type LonLat } from '#geo';
import { hashSecret } from '#platform';
import { type Answer, call, startApi, type TestApi } from './harness/api.ts';
import { contended } from './harness/contended.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { makeDevices, type PlacedDevice, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

/** Moves that may wait in one process (libs/audience/src/position.service.ts). */
const WAITING = 5_000;

/** Moves that one statement takes. */
const GROUP = 500;

const LOCK = 'SELECT FROM positions WHERE device_id = $1 FOR UPDATE';

let database: TestDatabase;
let api: TestApi;
let db: DataSource;
let devices: PlacedDevice[];

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, RATE_LIMIT_FACTOR: '1000' });
  db = api.app.get(DataSource);
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

beforeEach(async () => {
  await db.query('TRUNCATE devices CASCADE');
  devices = await makeDevices(db, scatter(60, SHENZHEN, 50_000));
});

/** In tests a device's secret is its token. */
const hashOf = ({ token }: PlacedDevice) => hashSecret(token).toString('hex');

/** Another place for each device and time. */
const placeOf = (device: PlacedDevice, time = 1): LonLat => [device.at[0] + 0.2 * time, device.at[1] + 0.1 * time];

function tell(
  device: Pick<PlacedDevice, 'token'>,
  [lon, lat]: LonLat,
  url = api.url,
): Promise<Answer<Record<string, unknown>>> {
  return call(url, 'PUT', '/v1/devices/me/position', {
    bearer: `g72d_${device.token}`,
    json: { place: { lon, lat, datum: 'wgs84' } },
  });
}

/** Where they stand, by a connection of its own. */
async function stored(): Promise<Map<number, LonLat>> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string; lon: number; lat: number }>(
      'SELECT device_id AS id, lon, lat FROM positions',
    );
    return new Map(rows.map(({ id, lon, lat }) => [Number(id), [lon, lat]]));
  } finally {
    await client.end();
  }
}

const unknown = () => ({ token: randomBytes(32).toString('base64url') });

describe('positions told at the same time', () => {
  it('are stored when they are answered', async () => {
    const [device] = devices as [PlacedDevice];
    const { status, body } = await tell(device, placeOf(device));
    expect([status, body]).toEqual([204, '']);
    expect((await stored()).get(device.id)).toEqual(coarsen(placeOf(device)));
  });

  it('are proved each by its own secret', async () => {
    const [first, ...others] = devices as [PlacedDevice, ...PlacedDevice[]];
    const asked = await contended(db, LOCK, first.id, 1, () =>
      Promise.all([first, unknown(), ...others, unknown()].map((each, n) => tell(each, [120 + n / 10, 30]))),
    );
    expect(asked.map(({ status }) => status)).toEqual([204, 401, ...others.map(() => 204), 401]);
    expect(asked[1]?.body).toMatchObject({ code: 'device_invalid' });
    const places = await stored();
    expect(places.get(first.id)).toEqual(coarsen([120, 30]));
    others.forEach(({ id }, n) => expect(places.get(id)).toEqual(coarsen([120 + (n + 2) / 10, 30])));
  });

  it('leave the last of one device', async () => {
    const [device, other] = devices as [PlacedDevice, PlacedDevice];
    const positions = api.app.get(Positions, { strict: false });
    const told = [1, 2, 3].map((time) => positions.move(hashOf(device), placeOf(device, time)));
    told.push(positions.move(hashOf(other), placeOf(other)));
    expect(await Promise.all(told)).toEqual([true, true, true, true]);
    expect((await stored()).get(device.id)).toEqual(coarsen(placeOf(device, 3)));
  });

  it('do not fall with one that the database refuses', async () => {
    const poisoned = devices[17] as PlacedDevice;
    await db.query(`ALTER TABLE positions ADD CONSTRAINT poison CHECK (device_id <> ${poisoned.id}) NOT VALID`);
    try {
      const answers = await Promise.all(devices.map((device) => tell(device, placeOf(device))));
      expect(answers.map(({ status }) => status)).toEqual(devices.map((device) => (device === poisoned ? 500 : 204)));
      const places = await stored();
      for (const device of devices) {
        expect(places.get(device.id)).toEqual(device === poisoned ? device.at : coarsen(placeOf(device)));
      }
    } finally {
      await db.query('ALTER TABLE positions DROP CONSTRAINT poison');
    }
  });

  it('never wait for each other in a circle, in whatever order two processes are told of them', async () => {
    // As the plan is for millions of devices: it takes rows in the order in which they are named.
    const [{ name }] = await db.query<[{ name: string }]>('SELECT current_database() AS name');
    for (const way of ['hashjoin', 'mergejoin', 'seqscan'])
      await db.query(`ALTER DATABASE ${name} SET enable_${way} = off`);
    const processes = await Promise.all([1, 2].map(() => startApi({ databaseUrl: database.url })));
    try {
      const [one, two] = processes.map(({ app }) => app) as [TestApi['app'], TestApi['app']];
      const moveAll = (app: TestApi['app'], all: readonly PlacedDevice[]) =>
        all.map((device) => app.get(Positions, { strict: false }).move(hashOf(device), placeOf(device)));
      const middle = devices[30] as PlacedDevice;
      const moved = await contended(db, LOCK, middle.id, 2, () =>
        Promise.all([...moveAll(one, devices), ...moveAll(two, devices.toReversed())]),
      );
      expect(moved).toEqual(Array(120).fill(true));
      const retire = () =>
        two.get(DataSource).transaction((tx) => two.get(Devices, { strict: false }).retire(tx, devices.toReversed()));
      await contended(db, LOCK, middle.id, 2, () => Promise.all([...moveAll(one, devices), retire()]));
    } finally {
      await Promise.all(processes.map((each) => each.close()));
      await db.query(`ALTER DATABASE ${name} RESET ALL`);
    }
  });

  it('are stored or refused, each exactly, when too many come', async () => {
    const positions = api.app.get(Positions, { strict: false });
    const property = fc.asyncProperty(fc.integer({ min: 0, max: 59 }), async (refused) => {
      const before = WAITING - 59 + refused;
      await db.query('UPDATE positions SET lon = 0, lat = 0, cell = 0');
      const [held, ...others] = devices as [PlacedDevice, ...PlacedDevice[]];
      const answers = await whileHeld(held, async () => {
        const fill = (count: number) =>
          Array.from({ length: count }, () => positions.move(hashOf(held), placeOf(held)));
        const first = fill(1);
        await until('the first is under way', async () => (await waitingForLocks()) > 0);
        const second = fill(GROUP);
        await until('a whole group is beside it', async () => (await waitingForLocks()) > 1);
        const crowd = [...first, ...second, ...fill(before)];
        const told = others.map((device) => tell(device, placeOf(device)));
        await until('as many are refused as find no room', async () => (await settled(told)) === refused);
        expect(await call(api.url, 'GET', '/readyz')).toMatchObject({
          status: 503,
          body: { parts: { writes: 'full' } },
        });
        return { crowd, told };
      });
      expect(new Set(await Promise.all(answers.crowd))).toEqual(new Set([true]));
      const told = await Promise.all(answers.told);
      const places = await stored();
      told.forEach(({ status, headers, body }, n) => {
        const device = others[n] as PlacedDevice;
        expect(places.get(device.id)).toEqual(status === 204 ? coarsen(placeOf(device)) : [0, 0]);
        if (status === 204) return;
        expect([status, body['code']]).toEqual([503, 'overloaded']);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      });
    });
    await fc.assert(property, { numRuns: 5, examples: [[59], [20]] });
  });

  it('are written before the process ends', async () => {
    const leaving = await startApi({ databaseUrl: database.url });
    const [held] = devices as [PlacedDevice];
    const { answers, closed } = await whileHeld(held, async () => {
      const answers = devices.map((device) => tell(device, placeOf(device), leaving.url));
      await until('they are under way', async () => (await waitingForLocks()) > 0);
      return { answers, closed: leaving.close() };
    });
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(devices.map(() => 204));
    await closed;
    const places = await stored();
    for (const device of devices) expect(places.get(device.id)).toEqual(coarsen(placeOf(device)));
  });

  it('are not answered for when the connection is cut under them, and the next is stored again', async () => {
    const [held] = devices as [PlacedDevice];
    const { cut } = await whileHeld(held, async () => {
      const cut = devices.map((device) => tell(device, placeOf(device)));
      await until('they are under way', async () => (await waitingForLocks()) > 0);
      await db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return { cut };
    });
    const answers = await Promise.all(cut);
    const places = await stored();
    answers.forEach(({ status, body }, n) => {
      const device = devices[n] as PlacedDevice;
      const isStored = String(places.get(device.id)) === String(coarsen(placeOf(device)));
      if (status === 204) return expect(isStored).toBe(true);
      expect([status, body['code'], isStored]).toEqual([503, 'temporarily_unavailable', false]);
    });
    expect(answers.some(({ status }) => status === 503)).toBe(true);
    expect((await tell(held, placeOf(held, 2))).status).toBe(204);
    expect((await stored()).get(held.id)).toEqual(coarsen(placeOf(held, 2)));
  });
});

/** How many of them are answered by now. */
async function settled(promises: readonly Promise<unknown>[]): Promise<number> {
  const pending = Symbol('pending');
  const states = await Promise.all(promises.map((each) => Promise.race([each, Promise.resolve(pending)])));
  return states.filter((state) => state !== pending).length;
}

/** Does `work` while a device's row is locked. */
async function whileHeld<Result>({ id }: PlacedDevice, work: () => Promise<Result>): Promise<Result> {
  const holder = db.createQueryRunner();
  try {
    await holder.startTransaction();
    await holder.query(LOCK, [id]);
    return await work();
  } finally {
    await holder.commitTransaction();
    await holder.release();
  }
}

async function waitingForLocks(): Promise<number> {
  const [{ waiting }] = await db.query<[{ waiting: number }]>(
    `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return waiting;
}
