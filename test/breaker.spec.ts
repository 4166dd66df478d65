import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Pacer } from '#dispatch';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

const PER_SECOND = 500;
const PROBE_MESSAGES = 5;
const PROBE_EVERY_MS = 5_000;

describe('sending to a provider in trouble', () => {
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } }, { PUSH_QUOTA_PER_MINUTE: String(PER_SECOND * 60) });
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
  });

  const state = async () => (await city.worker.get(Pacer).breakerState('fcm')).state;
  const requests = () => city.simulator.stats().requests;

  const underWay = async (devices: number) => {
    await makeDevices(city.source, scatter(devices, SHENZHEN, 20_000));
    const released = await city.release();
    await until('some are asked', () => city.simulator.alertStats(released.alertId).accepted > devices / 4, 30_000);
    return released;
  };

  it('costs it a trickle while it is away, and goes on by itself when it is back', async () => {
    const { alertId, targeted } = await underWay(2_000);
    await city.simulator.configure({ down: true });
    await until('the breaker opens', async () => (await state()) !== 'closed');
    await until('what was under way is answered', async () => (await state()) === 'open');
    const [openedAt, before] = [performance.now(), requests()];
    await until('two probes have failed', () => requests() >= before + PROBE_MESSAGES + 1, 30_000);
    const probes = 1 + Math.ceil((performance.now() - openedAt) / PROBE_EVERY_MS);
    // Two chunks may still have been on their way when it opened.
    expect(requests() - before).toBeLessThanOrEqual(probes * PROBE_MESSAGES + 200);
    await city.simulator.configure({ down: false });
    await until('the breaker closes', async () => (await state()) === 'closed', 30_000);
    await city.settled(alertId, 60_000);
    expect(await city.books(alertId, 'ring')).toMatchObject({ accepted: targeted, unknown: 0 });
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
  }, 120_000);

  it('settles near a quota that is cut to a tenth', async () => {
    const { alertId, targeted } = await underWay(900);
    const before = city.simulator.stats();
    const refused = (stats = city.simulator.stats()) => stats.byError['QUOTA_EXCEEDED'] ?? 0;
    await city.simulator.configure({ quotaPerMinute: (PER_SECOND * 60) / 10 });
    await city.settled(alertId, 120_000);
    await city.simulator.configure({ quotaPerMinute: 0 });
    const { accepted, duplicates } = city.simulator.alertStats(alertId);
    expect([accepted, duplicates]).toEqual([targeted, 0]);
    // It asked little more than it got, though for the first seconds it asked for ten times as much.
    expect(refused() - refused(before)).toBeLessThan(targeted);
  }, 180_000);
});
