import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Pacer } from '../libs/dispatch/src/pacer.ts';
import { redisUrl } from './harness/env.ts';
import { until } from './harness/until.ts';

describe('the pacer', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(() => redis.quit());

  beforeEach(() => redis.flushdb());

  const ask = (one: Pacer, messages: number, flow = 'one', band = 0, weight = 1) =>
    one.take({ provider: 'fcm', messages, flow, band, weight, waveId: 1, batchId: 1 });

  const pacer = (perMinute: number, rampSeconds = 0) =>
    new Pacer(redis, { PUSH_QUOTA_PER_MINUTE: perMinute, PUSH_RAMP_SECONDS: rampSeconds });

  it('grants no more than the quota, however many workers ask', async () => {
    const workers = [pacer(60_000), pacer(60_000), pacer(60_000)];
    const began = performance.now();
    await Promise.all(workers.flatMap((worker) => Array.from({ length: 6 }, () => ask(worker, 50))));
    const seconds = (performance.now() - began) / 1000;
    // 900 messages at 1 000 a second; a quarter of a second's may be taken ahead, and the last 50 need not be waited out.
    expect(900 - 250 - 50).toBeLessThanOrEqual(seconds * 1000);
  });

  it('grants less at the bottom of the ramp, and starts there when its state is lost', async () => {
    const slow = pacer(60_000, 3600);
    const began = performance.now();
    await ask(slow, 50);
    await redis.flushdb();
    for (let asked = 0; asked < 2; asked++) expect(await ask(slow, 50)).toMatchObject({ granted: true, messages: 25 });
    await ask(slow, 1);
    // A tenth of 1 000 a second, a quarter of a second's at once: 50 cost half a second, of which a quarter may be taken ahead;
    // timers may be a little early.
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('serves the nearest band first within an alert, whoever asked first', async () => {
    const one = pacer(6_000);
    const served: number[] = [];
    await Promise.all([50, 40, 3, 1, 30].map((band) => ask(one, 20, 'one', band).then(() => served.push(band))));
    // The first was already being served when the others came.
    expect(served).toEqual([50, 1, 3, 30, 40]);
  });

  it('goes round the alerts, so that a small one does not wait behind a big one', async () => {
    const one = pacer(60_000);
    const served: string[] = [];
    const asked = [...Array<string>(20).fill('big'), 'small', 'small'];
    await Promise.all(asked.map((flow) => ask(one, 20, flow, flow === 'small' ? 50 : 0).then(() => served.push(flow))));
    expect(served.lastIndexOf('small')).toBeLessThan(6);
  });

  it('gives an ending four times the room of another alert, and not all of it', async () => {
    const one = pacer(60_000);
    const served: string[] = [];
    const asked = ['warm', ...Array<string>(12).fill('ring'), ...Array<string>(12).fill('ending')];
    await Promise.all(
      asked.map((flow) => ask(one, 20, flow, 0, flow === 'ending' ? 4 : 1).then(() => served.push(flow))),
    );
    const early = served.slice(1, 11);
    expect(early.filter((flow) => flow === 'ending').length).toBeGreaterThanOrEqual(7);
    expect(early).toContain('ring');
  });

  it('turns away who has waited for a second behind others, but not who is next', async () => {
    const one = pacer(60);
    const began = performance.now();
    const rooms = await Promise.all(
      Array.from({ length: 8 }, async (_, band) => ({
        ...(await ask(one, 1, 'one', band)),
        ms: performance.now() - began,
      })),
    );
    // One a second, of which a quarter may be taken ahead: after a second the third waits for its room and the fourth is next.
    expect(rooms.map((room) => room.granted)).toEqual([true, true, true, true, false, false, false, false]);
    expect(rooms.at(-1)?.ms).toBeLessThan(1_500);
  });

  const tell = async (
    one: Pacer,
    told: { answered: number; failed: number; tooMany?: number; retryAfterMs?: number },
  ) => {
    const room = await ask(one, told.answered + told.failed);
    if (!room.granted) throw new Error('no room');
    return one.report('fcm', { tooMany: 0, retryAfterMs: 0, ...told, room });
  };

  it('keeps every worker away from a provider that takes nothing, but for one small probe', async () => {
    const [one, other] = [pacer(60_000), pacer(60_000)];
    expect(await tell(one, { answered: 0, failed: 50, retryAfterMs: 0 })).toBeGreaterThan(0);
    expect(await one.breakerState('fcm')).toMatchObject({ state: 'open', room: 0, share: 0 });
    const away = await ask(other, 50);
    expect(away).toMatchObject({ granted: false });
    const probes = await until('it is time for a probe', async () => {
      const rooms = await Promise.all([ask(one, 50), ask(other, 50)]);
      return rooms.some((room) => room.granted) ? rooms : null;
    });
    const [probe, ...rest] = probes.filter((room) => room.granted);
    expect(probe).toMatchObject({ messages: 5 });
    expect(rest).toEqual([]);
    expect(await other.breakerState('fcm')).toMatchObject({ state: 'probing' });
    if (!probe?.granted) return;
    expect(await other.report('fcm', { answered: 5, failed: 0, tooMany: 0, retryAfterMs: 0, room: probe })).toBe(0);
    expect(await one.breakerState('fcm')).toMatchObject({ state: 'closed' });
    expect(await ask(one, 50)).toMatchObject({ granted: true, messages: 50 });
  });

  it('stays away for as long as the provider asks', async () => {
    await tell(pacer(60_000), { answered: 0, failed: 30, retryAfterMs: 40_000 });
    const room = await ask(pacer(60_000), 10);
    expect(room.granted ? 0 : room.retryMs).toBeGreaterThan(35_000);
  });

  it('starts closed when its state is lost', async () => {
    await tell(pacer(60_000), { answered: 0, failed: 30 });
    await redis.flushdb();
    expect(await pacer(60_000).breakerState('fcm')).toEqual({ state: 'closed', room: 250, share: 1, aheadMs: 0 });
    expect(await ask(pacer(60_000), 10)).toMatchObject({ granted: true });
  });

  it('loses no report and grants no room twice, however many workers change the state at once', async () => {
    const workers = Array.from({ length: 8 }, () => pacer(6_000_000));
    // Nineteen refusals in a row are none too many; the twentieth opens.
    await Promise.all(Array.from({ length: 19 }, (_, n) => tell(workers[n % 8] as Pacer, { answered: 0, failed: 1 })));
    expect(await workers[0]?.breakerState('fcm')).toMatchObject({ state: 'closed' });
    await tell(workers[3] as Pacer, { answered: 0, failed: 1 });
    expect(await workers[0]?.breakerState('fcm')).toMatchObject({ state: 'open' });
  });

  it('holds a push back while a batch much nearer is in hand, and lets it go with that batch', async () => {
    const one = pacer(600_000);
    const leave = one.enter(1, 0);
    const served: number[] = [];
    const far = ask(one, 10, 'one', 9).finally(() => served.push(9));
    await ask(one, 10, 'one', 2).then(() => served.push(2));
    // The far one asked first: were it not held back, it would have been served first.
    expect(served).toEqual([2]);
    leave();
    expect(await far).toMatchObject({ granted: true });
  });

  it('asks for room in quarters of a second, and never for none', () => {
    expect([pacer(60).chunk, pacer(12_000).chunk, pacer(600_000).chunk]).toEqual([1, 50, 100]);
  });
});
