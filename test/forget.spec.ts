import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Devices } from '#audience';
import { Ending, RecipientReferences } from '#dispatch';
import { EngagementRetention } from '#engagement';
import { REDIS } from '#platform';
import { DevicesApi } from '../apps/api/src/devices/devices.api.ts';
import { EngagementApi } from '../apps/api/src/engagement/engagement.api.ts';
import { call, startApi, type TestApi } from './harness/api.ts';
import { TestCity } from './harness/city.ts';
import { until } from './harness/until.ts';
import { makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';

/** Ids that are found nowhere by chance. */
const FIRST_ID = 727_200_000_001;
const TOKEN = 'sim:forget-me-7f3c';
const HERE = { lon: SHENZHEN[0], lat: SHENZHEN[1], datum: 'wgs84' };
const FOUND = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'direct' } as const;

describe('a device that leaves', () => {
  let city: TestCity;
  let api: TestApi;
  const written: string[] = [];

  // The logger is one per process, and so are its level and its output: hence a test file of its own.
  beforeAll(async () => {
    jest.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
    city = await TestCity.start({ phones: { receiveRate: 1, openRate: 0 } }, { LOG_LEVEL: 'trace' });
    await city.source.query(`ALTER TABLE devices ALTER COLUMN id RESTART WITH ${FIRST_ID}`);
    const databaseUrl = (city.source.options as { url: string }).url;
    const redisUrl = redis().options;
    api = await startApi({
      databaseUrl,
      redisUrl: `redis://:${redisUrl.password}@${redisUrl.host}:${redisUrl.port}/${redisUrl.db}`,
      LOG_LEVEL: 'trace',
      modules: [DevicesApi, EngagementApi],
    });
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await city?.close();
    jest.restoreAllMocks();
  });

  const redis = () => city.worker.get<Redis>(REDIS, { strict: false });

  async function register(token = TOKEN): Promise<{ id: number; bearer: string; secrets: string[] }> {
    const registration = { platform: 'android', token, language: 'en' };
    const { body } = await call<{ secret: string }>(api.url, 'POST', '/v1/devices', { json: registration });
    const secret = body.secret.slice('g72d_'.length);
    const hash = createHash('sha256').update(secret).digest();
    const { id } = (await city.worker.get(Devices, { strict: false }).authenticate(secret)) ?? { id: 0 };
    const secrets = [token, secret, hash.toString('hex'), hash.toString('base64url'), hash.toString('base64')];
    return { id, bearer: body.secret, secrets };
  }

  /** What the device's newest push carried. */
  async function referenceOf(id: number): Promise<string> {
    const [row] = await city.source.query<[{ batch: number; place: number }]>(
      `SELECT batch_id AS batch, array_position(ids, $1) AS place FROM batch_recipients
       WHERE $1 = ANY (ids) ORDER BY batch_id DESC LIMIT 1`,
      [id],
    );
    return city.worker.get(RecipientReferences, { strict: false }).encode(row.batch, row.place - 1);
  }

  /** Every table of ours in which a text stands, in whatever column, of whatever type. */
  async function tablesWith(text: string): Promise<string[]> {
    const tables = await city.source.query<{ name: string }[]>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'spatial_ref_sys' ORDER BY 1`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const [row] = await city.source.query<[{ rows: number }]>(
        `SELECT count(*)::int AS rows FROM ${name} t WHERE position($1 in t::text) > 0`,
        [text],
      );
      if (row.rows > 0) found.push(name);
    }
    return found;
  }

  /** Everything in Redis, as text. */
  async function inRedis(): Promise<string> {
    const keys = await redis().keys('*');
    const dumps = await Promise.all(keys.map((key) => redis().dumpBuffer(key)));
    return keys.concat(dumps.map((dump) => dump?.toString('latin1') ?? '')).join('\n');
  }

  it('is found nowhere any more, but as a number in the lists of whom an alert asked, which go with the alert', async () => {
    await makeDevices(city.source, scatter(30, SHENZHEN, 900));
    const { id, bearer, secrets } = await register();
    const put = (path: string, json: unknown) => call(api.url, 'PUT', `/v1/devices/me/${path}`, { bearer, json });
    expect((await put('position', { place: HERE })).status).toBe(204);
    await put('preferences', { optedOut: ['serious'], quiet: { from: 1, until: 2, zone: 'Asia/Shanghai' } });
    const { alertId } = await city.release();
    await city.settled(alertId);
    const ref = await referenceOf(id);
    await until('its phone shows the alert', () => city.simulator.shownBy(TOKEN).length === 1);
    await call(api.url, 'POST', '/v1/receipts', { json: { items: [{ ref, kind: 'opened' }] } });
    const forward = await call(api.url, 'POST', '/v1/forwards', { json: { ref } });
    expect(forward.status).toBe(200);
    expect(await tablesWith(String(id))).toEqual(['public.batch_recipients', 'public.devices', 'public.positions']);
    expect(await tablesWith(TOKEN)).toEqual(['public.devices']);

    const left = () => call(api.url, 'DELETE', '/v1/devices/me', { bearer });
    expect((await left()).status).toBe(204);
    expect(await tablesWith(String(id))).toEqual(['public.batch_recipients']);
    for (const secret of secrets) expect([secret, await tablesWith(secret)]).toEqual([secret, []]);
    const kept = await inRedis();
    const logged = written.join('');
    for (const secret of [...secrets, String(id)]) {
      expect([secret, kept.includes(secret), logged.includes(secret)]).toEqual([secret, false, false]);
    }
    expect(logged).toContain('/v1/devices/me');
    // Nobody is there to leave twice, and nothing more happens.
    expect((await left()).status).toBe(401);

    const forwarders = () =>
      city.source.query<{ links: number; recipients: number }[]>(
        'SELECT count(*)::int AS links, count(batch_id)::int AS recipients FROM forwards',
      );
    expect(await forwarders()).toEqual([{ links: 1, recipients: 1 }]);
    await city.worker.get(EngagementRetention, { strict: false }).forgetForwarders(10);
    expect(await forwarders()).toEqual([{ links: 1, recipients: 0 }]);

    // What dangles goes, thirty days after the case is closed, with the list.
    await city.worker.get(Ending).end(city.liaison, alertId, FOUND);
    await city.settled(alertId);
    expect(await tablesWith(String(id))).toEqual(['public.batch_recipients']);
  });

  it('keeps the link of a device that stays', async () => {
    await city.source.query('TRUNCATE devices, forwards CASCADE');
    const [device] = await makeDevices(city.source, [SHENZHEN]);
    const { alertId } = await city.release();
    await city.settled(alertId);
    const json = { ref: await referenceOf(device?.id ?? 0) };
    expect((await call(api.url, 'POST', '/v1/forwards', { json })).status).toBe(200);
    expect(await city.worker.get(EngagementRetention, { strict: false }).forgetForwarders(10)).toBe(0);
  });

  it('is not sent what was queued for it', async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await makeDevices(city.source, scatter(40, SHENZHEN, 900));
    const token = 'sim:forgotten-in-time';
    const { bearer } = await register(token);
    await call(api.url, 'PUT', '/v1/devices/me/position', {
      bearer,
      json: { place: HERE },
    });
    await city.simulator.configure({ faults: { unavailable: 1 } });
    const { alertId, targeted } = await city.release(makeSubmission());
    expect(targeted).toBe(41);
    await until('the provider has turned it down, and it waits', async () => {
      const [row] = await city.source.query<[{ waiting: number }]>(
        `SELECT count(*)::int AS waiting FROM batches WHERE alert_id = $1 AND state = 'pending' AND attempt > 0`,
        [alertId],
      );
      return row.waiting > 0;
    });
    expect((await call(api.url, 'DELETE', '/v1/devices/me', { bearer })).status).toBe(204);
    await city.simulator.configure({ faults: { unavailable: 0 } });
    await city.settled(alertId, 60_000);
    expect(await city.books(alertId, 'ring')).toMatchObject({ unregistered: 1, pending: 0 });
    expect(city.simulator.shownBy(token)).toEqual([]);
  });
});
