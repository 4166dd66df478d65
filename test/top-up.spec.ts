import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Devices, Positions } from '#audience';
import { Holds, TopUp } from '#dispatch';
import type { LonLat } from '#geo';
import { Clock, hashSecret } from '#platform';
import { TestCity } from './harness/city.ts';
import { makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';

const NEAR_M = 10_000;
const near = { area: { kind: 'circle', center: SHENZHEN, radiusM: NEAR_M } } as const;
/** 30 km north: outside. */
const AWAY: LonLat = [114.06, 22.81];
const TEXTS = {
  'zh-CN': { title: '更正：寻找走失女孩', body: '七岁，蓝色雨衣。' },
  en: { title: 'Corrected: missing girl', body: 'Seven years old, blue raincoat.' },
};

describe('topping up', () => {
  let city: TestCity;
  let tools: LiveAlertTools;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0, receiveRate: 1 } }, { PUSH_QUOTA_PER_MINUTE: '120000' });
    tools = new LiveAlertTools(city);
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query(`UPDATE alerts SET state = 'ended', ended_at = now() WHERE state = 'live'`);
    await city.source.query('TRUNCATE devices CASCADE');
    await city.source.query('TRUNCATE arrivals');
  });

  const round = () => city.worker.get(TopUp).run();
  const move = async (id: number, to: LonLat) => {
    const secretHash = hashSecret(`the secret of ${id}`);
    await city.source.query('UPDATE devices SET secret_hash = $2 WHERE id = $1', [id, secretHash]);
    expect(await city.worker.get(Positions).move(secretHash.toString('hex'), to)).toBe(true);
  };
  const accepted = (alertId: string) => city.simulator.alertStats(alertId).accepted;
  const lateWaves = (alertId: string) =>
    city.source.query<{ targeted: number }[]>('SELECT targeted FROM waves WHERE alert_id = $1 AND late ORDER BY id', [
      alertId,
    ]);
  const noted = async () => (await city.source.query<[{ n: number }]>('SELECT count(*) AS n FROM arrivals'))[0].n;

  interface Books {
    readonly targeted: number;
    readonly muted: number;
  }

  const books = async (alertId: string): Promise<Books> => {
    const [row] = await city.source.query<[Books]>(
      `SELECT sum(targeted)::int AS targeted, coalesce(sum((withheld->>'muted')::int), 0)::int AS muted
       FROM waves WHERE alert_id = $1 AND audience = 'ring'`,
      [alertId],
    );
    return row;
  };

  /** Released, sent, and looked at once. */
  const live = async (alert = {}) => {
    const released = await city.release(makeSubmission({ ...near, ...alert }));
    await round();
    await city.settled(released.alertId);
    return released;
  };

  it('asks who enters, once, and nobody who was asked or stays outside', async () => {
    const [inside] = await makeDevices(city.source, scatter(200, SHENZHEN, NEAR_M - 2_000));
    const [entering, passing] = await makeDevices(city.source, [AWAY, AWAY]);
    if (!inside || !entering || !passing) throw new Error('no devices');
    const { alertId, targeted } = await live();
    expect(targeted).toBe(200);
    await move(entering.id, [114.07, 22.55]);
    await move(passing.id, [114.06, 22.79]);
    await move(inside.id, [114.05, 22.53]);
    expect(await noted()).toBe(3);
    await round();
    expect(await noted()).toBe(0);
    expect(await lateWaves(alertId)).toEqual([{ targeted: 1 }]);
    await move(inside.id, AWAY);
    await round();
    await move(inside.id, SHENZHEN);
    await move(entering.id, SHENZHEN);
    await round();
    await city.settled(alertId);
    expect(accepted(alertId)).toBe(201);
    expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
    expect(await lateWaves(alertId)).toEqual([{ targeted: 1 }]);
    await tools.end(alertId);
    await city.settled(alertId);
    expect((await city.books(alertId, 'notified')).accepted).toBe(201);
  });

  it('asks one that registers in the area, with the newest message once', async () => {
    await makeDevices(city.source, scatter(20, SHENZHEN, NEAR_M - 2_000));
    const { alertId } = await live();
    await tools.change(alertId, { kind: 'texts', texts: TEXTS });
    await city.settled(alertId);
    const token = 'sim:registered-late';
    const secret = await city.worker
      .get(Devices)
      .register({ provider: 'fcm', platform: 'android', token, language: 'en' });
    const device = await city.worker.get(Devices).authenticate(secret);
    await move(device?.id ?? 0, SHENZHEN);
    await round();
    await city.settled(alertId);
    await city.simulator.drain();
    const shown = city.simulator.shownBy(token).filter((data) => data['alert'] === alertId);
    expect(shown).toMatchObject([{ version: '2' }]);
    expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
  });

  it('keeps one late wave a message, in batches by band, and settles it again', async () => {
    const devices = await makeDevices(
      city.source,
      Array.from({ length: 6 }, () => AWAY),
    );
    const { alertId } = await live();
    for (const [n, { id }] of devices.entries()) {
      await move(id, [SHENZHEN[0], SHENZHEN[1] + (5 - n) / 100]);
      if (n % 2 === 1) await round();
      if (n % 2 === 1) await city.settled(alertId);
    }
    expect(await lateWaves(alertId)).toEqual([{ targeted: 6 }]);
    const batches = await city.source.query<{ seq: number; version: number }[]>(
      'SELECT seq, version FROM batches b WHERE alert_id = $1 ORDER BY seq',
      [alertId],
    );
    expect(batches.map(({ seq }) => seq)).toEqual(batches.map((_, i) => i + 1));
    expect(accepted(alertId)).toBe(6);
  });

  it('asks those whose mute has ended, soon when they move and within minutes when they stay, and keeps its books', async () => {
    const devices = await makeDevices(city.source, scatter(10, SHENZHEN, NEAR_M - 2_000));
    const [moving, staying, muted] = devices.map(({ id }) => id) as [number, number, number];
    const mute = (ids: readonly number[], minutes: number) =>
      city.source.query(
        `UPDATE positions SET muted_until = now() + make_interval(mins => $2) WHERE device_id = ANY ($1::bigint[])`,
        [ids, minutes],
      );
    await mute([moving, staying, muted], 60);
    const { alertId } = await live();
    expect(await books(alertId)).toEqual({ targeted: 7, muted: 3 });
    await mute([moving, staying], -1);
    await move(moving, [114.07, 22.55]);
    await round();
    expect((await books(alertId)).targeted).toBe(8);
    const clock = city.worker.get(Clock);
    clock.now = () => new Date(Date.now() + 11 * 60_000);
    try {
      await round();
    } finally {
      clock.now = () => new Date();
    }
    expect(await books(alertId)).toEqual({ targeted: 9, muted: 1 });
    await city.settled(alertId);
    expect(accepted(alertId)).toBe(9);
    expect(await lateWaves(alertId)).toEqual([{ targeted: 2 }]);
  });

  it('asks nobody of an alert that is held, stopped, ended or practised, and catches up once it is resumed', async () => {
    const devices = await makeDevices(city.source, [AWAY, AWAY, AWAY]);
    const held = await live();
    const stopped = await live();
    const practised = await live();
    await city.source.query(`UPDATE alerts SET mode = 'exercise' WHERE id = $1`, [practised.alertId]);
    await city.worker.get(Holds).hold(city.liaison, held.alertId, 'other');
    await city.worker.get(Holds).stop(city.liaison, stopped.alertId);
    for (const { id } of devices) await move(id, SHENZHEN);
    await round();
    for (const { alertId } of [held, stopped, practised]) expect(await lateWaves(alertId)).toEqual([]);
    await tools.change(held.alertId, { kind: 'resume' });
    await round();
    expect(await lateWaves(held.alertId)).toEqual([{ targeted: 3 }]);
    await city.settled(held.alertId);
    await tools.end(held.alertId);
    await round();
    expect(await lateWaves(held.alertId)).toHaveLength(1);
  });

  it('withholds what would be one alert too many today', async () => {
    const [entering] = await makeDevices(city.source, [SHENZHEN]);
    for (let n = 0; n < 5; n++) await live();
    const far = { kind: 'circle', center: AWAY, radiusM: 5_000 } as const;
    const { alertId } = await live({ area: far });
    await move(entering?.id ?? 0, AWAY);
    await round();
    expect(await lateWaves(alertId)).toEqual([]);
  });

  it('notes who moves while an alert is live, and only then; nothing of where', async () => {
    const [device] = await makeDevices(city.source, [AWAY]);
    await city.source.query('DELETE FROM arrivals_wanted');
    await move(device?.id ?? 0, SHENZHEN);
    expect(await noted()).toBe(0);
    await live();
    await move(device?.id ?? 0, SHENZHEN);
    expect(await noted()).toBe(0);
    await move(device?.id ?? 0, AWAY);
    await move(device?.id ?? 0, SHENZHEN);
    expect(await city.source.query('SELECT DISTINCT * FROM arrivals')).toEqual([{ device_id: device?.id }]);
  });
});
