import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Pacer } from '../libs/dispatch/src/pacer.ts';
import { redisUrl } from './harness/env.ts';

describe('the pacer', () => {
  let redis: Redis;

  beforeAll(() => {
    redis = new Redis(redisUrl());
  });

  afterAll(() => redis.quit());

  beforeEach(() => redis.flushdb());

  const pacer = (perMinute: number, rampSeconds = 0) =>
    new Pacer(redis, { PUSH_QUOTA_PER_MINUTE: perMinute, PUSH_RAMP_SECONDS: rampSeconds });

  it('grants no more than the quota, however many workers ask', async () => {
    const workers = [pacer(60_000), pacer(60_000), pacer(60_000)];
    const began = performance.now();
    await Promise.all(workers.flatMap((worker) => Array.from({ length: 6 }, () => worker.take('fcm', 50, 1))));
    const seconds = (performance.now() - began) / 1000;
    // 900 messages at 1 000 a second; a quarter of a second's may be taken ahead, and the last 50 need not be waited out.
    expect(900 - 250 - 50).toBeLessThanOrEqual(seconds * 1000);
  });

  it('grants less at the bottom of the ramp, and starts there when its state is lost', async () => {
    const slow = pacer(60_000, 3600);
    const began = performance.now();
    await slow.take('fcm', 50, 1);
    await redis.flushdb();
    await slow.take('fcm', 50, 1);
    await slow.take('fcm', 1, 1);
    // A tenth of 1 000 a second: 50 cost half a second, of which a quarter may be taken ahead; timers may be a little early.
    expect(performance.now() - began).toBeGreaterThan(240);
  });

  it('serves endings and near bands first, whoever asked first', async () => {
    const one = pacer(6_000);
    const served: number[] = [];
    const ask = (rank: number) => one.take('fcm', 20, rank).then(() => served.push(rank));
    await Promise.all([ask(50), ask(40), ask(3), ask(1), ask(30)]);
    // The first was already being served when the others came.
    expect(served).toEqual([50, 1, 3, 30, 40]);
  });

  it('gives up at once what would outlast a lease, and keeps a pause for everyone', async () => {
    await pacer(60_000).pause('fcm', 60_000);
    const room = await pacer(60_000).take('fcm', 10, 1);
    expect(room.granted).toBe(false);
    expect(room.granted ? 0 : room.retryMs).toBeGreaterThan(50_000);
  });

  it('asks for room in quarters of a second, and never for none', () => {
    expect([pacer(60).chunk, pacer(12_000).chunk, pacer(600_000).chunk]).toEqual([1, 50, 100]);
  });
});
