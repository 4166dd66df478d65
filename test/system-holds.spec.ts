import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Reviews } from '#access';
import { SystemHolds } from '#dispatch';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { until } from './harness/until.ts';

describe('holding in the name of the system', () => {
  let city: TestCity;
  let tools: LiveAlertTools;

  beforeAll(async () => {
    city = await TestCity.start({ latencyMs: { min: 100, max: 200 } }, { PUSH_QUOTA_PER_MINUTE: '60000' });
    tools = new LiveAlertTools(city);
    await makeDevices(city.source, scatter(3000, SHENZHEN, 60_000));
  }, 60_000);

  afterAll(() => city?.close());

  const holds = () => city.worker.get(SystemHolds);

  it('sends nothing more, tells officers, and is resumed by two', async () => {
    const { alertId, caseId, targeted } = await city.release();
    await until('some are asked', () => city.simulator.alertStats(alertId).accepted > 100);
    const tries = await Promise.all([holds().hold(alertId, 'gap'), holds().hold(alertId, 'gap')]);
    expect(tries.toSorted()).toEqual([false, true]);
    await until('no batch is leased', async () => (await tools.leased(alertId)) === 0);
    expect((await city.books(alertId, 'ring')).pending).toBeGreaterThan(0);
    expect(await tools.alert(caseId)).toMatchObject({ heldReason: 'gap', heldBy: null });
    const { reviews } = await city.worker.get(Reviews).list(city.verifier, { open: true });
    const mine = reviews.filter(({ thing }) => thing === `alert:${alertId}`);
    expect(mine).toMatchObject([{ act: 'alert.hold', officerId: null }]);
    await city.worker.get(Reviews).settle(city.verifier, mine[0]?.id as string, 'upheld');
    const audited = await city.source.query<unknown[]>(
      `SELECT actor, detail FROM audit_entries WHERE thing = $1 AND action = 'alert.hold'`,
      [`alert:${alertId}`],
    );
    expect(audited).toEqual([{ actor: 'system:gap', detail: { reason: 'gap' } }]);
    await tools.change(alertId, { kind: 'resume' });
    expect(await tools.alert(caseId)).toMatchObject({ heldAt: null, resumedAt: expect.any(Date) });
    await city.settled(alertId, 30_000);
    expect((await city.books(alertId, 'ring')).accepted).toBe(targeted);
    await tools.end(alertId);
    await city.settled(alertId, 30_000);
  }, 90_000);

  it('lets an ending pass, and leaves alone what is not live or has no reason any more', async () => {
    const { alertId } = await city.release();
    await until('some are asked', () => city.simulator.alertStats(alertId).accepted > 100);
    expect(await holds().hold(alertId, 'restored', () => Promise.resolve(false))).toBe(false);
    expect(await holds().hold(alertId, 'restored')).toBe(true);
    await tools.end(alertId);
    await city.settled(alertId, 30_000);
    const ring = await city.books(alertId, 'ring');
    expect((await city.books(alertId, 'notified')).accepted).toBe(ring.accepted + ring.unknown);
    expect(await holds().hold(alertId, 'restored')).toBe(false);
    expect(await holds().hold('00000000-0000-4000-8000-000000000000', 'restored')).toBe(false);
  }, 60_000);
});
