import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Ending, Holds, PublicAlerts } from '#dispatch';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeActor, makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';
import { LiveAlertTools } from './harness/live-alert.ts';

/** Within this of its commit a hold or a stop has taken effect. */
const HELD_WITHIN_MS = 2_000;

const NO_FAULTS = { latencyMs: { min: 0, max: 0 }, down: false } as const;

describe('holding and stopping', () => {
  let city: TestCity;
  let tools: LiveAlertTools;

  beforeAll(async () => {
    // About as many a second as a small provider's quota: a release of seconds, not of an instant.
    city = await TestCity.start({ phones: { openRate: 0, receiveRate: 1 } }, { PUSH_QUOTA_PER_MINUTE: '60000' });
    tools = new LiveAlertTools(city);
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await city.simulator.configure(NO_FAULTS);
  });

  const holds = () => city.worker.get(Holds);
  const accepted = (alertId: string) => city.simulator.alertStats(alertId).accepted;

  const noneLeased = (alertId: string, withinMs?: number) =>
    until('no batch is leased', async () => (await tools.leased(alertId)) === 0, withinMs);

  /** Releases to many at a real pace, and comes back in its midst. */
  const underWay = async (devices = 5000) => {
    await makeDevices(city.source, scatter(devices, SHENZHEN, 60_000));
    await city.simulator.configure({ latencyMs: { min: 100, max: 400 } });
    const released = await city.release();
    await until('some are asked', () => accepted(released.alertId) > 300);
    return released;
  };

  it('sends nothing from two seconds after a hold on, and everything once it is resumed', async () => {
    const { alertId, caseId, targeted } = await underWay();
    await holds().hold(city.liaison, alertId, 'wrong_facts');
    const committedAt = Date.now();
    await noneLeased(alertId);
    await city.worker.get(Holds).hold(city.verifier, alertId, 'danger');
    const sent = accepted(alertId);
    expect(sent).toBeLessThan(targeted);
    const { lastAcceptedAt } = city.simulator.alertStats(alertId);
    expect((lastAcceptedAt ?? 0) - committedAt).toBeLessThan(HELD_WITHIN_MS);
    const ring = await city.books(alertId, 'ring');
    expect(ring.accepted).toBe(sent);
    expect(ring.pending).toBe(targeted - sent);
    expect(await tools.alert(caseId)).toMatchObject({ heldReason: 'wrong_facts', heldBy: city.liaison.id });
    expect(await tools.reviews(alertId)).toEqual([{ act: 'alert.hold', officer: city.liaison.id }]);
    await city.simulator.configure(NO_FAULTS);
    await tools.change(alertId, { kind: 'resume' });
    await city.settled(alertId, 30_000);
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
  }, 60_000);

  it('tells an ending although the alert is held', async () => {
    const { alertId } = await underWay(2000);
    await holds().hold(city.verifier, alertId, 'maybe_found');
    await noneLeased(alertId);
    await city.simulator.configure(NO_FAULTS);
    const { accepted: asked } = await city.books(alertId, 'ring');
    await tools.end(alertId);
    await city.settled(alertId);
    expect(await city.books(alertId, 'notified')).toMatchObject({ size: asked, accepted: asked });
    expect((await city.books(alertId, 'ring')).stopped).toBe(2000 - asked);
  }, 60_000);

  it('expires although it is held', async () => {
    const { alertId } = await underWay(2000);
    await holds().hold(city.verifier, alertId, 'other');
    await city.source.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [alertId]);
    await until('expired', async () => (await tools.row(alertId)).state === 'ended');
    await city.settled(alertId);
    const ring = await city.books(alertId, 'ring');
    expect(ring.pending).toBe(0);
    expect((await city.books(alertId, 'notified')).size).toBe(ring.accepted + ring.unknown);
  }, 60_000);

  it('stops for good: nobody more is asked, the page stays, those asked are told the end', async () => {
    const { alertId, slug, targeted } = await underWay();
    await holds().stop(city.liaison, alertId);
    const committedAt = Date.now();
    await city.settled(alertId, 30_000);
    expect((city.simulator.alertStats(alertId).lastAcceptedAt ?? 0) - committedAt).toBeLessThan(HELD_WITHIN_MS);
    const ring = await city.books(alertId, 'ring');
    expect(ring).toMatchObject({ pending: 0, size: targeted });
    expect(ring.stopped).toBeGreaterThan(0);
    expect(await city.worker.get(PublicAlerts).bySlug(slug)).toMatchObject({ state: 'live' });
    expect(await tools.reviews(alertId)).toEqual([{ act: 'alert.stop', officer: city.liaison.id }]);
    await expect(tools.propose(alertId, { kind: 'ring', radiusM: 200_000 })).rejects.toMatchObject({
      code: 'alert_stopped',
    });
    await city.simulator.configure(NO_FAULTS);
    await tools.end(alertId);
    await city.settled(alertId);
    expect((await city.books(alertId, 'notified')).accepted).toBe(ring.accepted + ring.unknown);
  }, 60_000);

  it('stops what a dead worker had in hand', async () => {
    const { alertId, caseId } = await underWay(1500);
    await holds().hold(city.liaison, alertId, 'other');
    await noneLeased(alertId);
    const [batch] = await city.source
      .query<[{ id: number }]>(
        `UPDATE batches SET state = 'leased', lease_until = now() + interval '1 hour', results = '~' || substr(coalesce(results, repeat('.', size)), 2)
       WHERE id = (SELECT max(id) FROM batches WHERE alert_id = $1 AND state = 'pending' AND results IS NULL AND size > 1)
       RETURNING id`,
        [alertId],
      )
      .then(([rows]) => rows as unknown as [{ id: number }]);
    await holds().stop(city.liaison, alertId);
    await tools.change(alertId, { kind: 'resume' });
    expect((await tools.alert(caseId)).heldAt).toBeNull();
    await city.source.query(`UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1`, [batch.id]);
    await city.settled(alertId, 30_000);
    const [row] = await city.source.query<[{ results: string }]>('SELECT results FROM batches WHERE id = $1', [
      batch.id,
    ]);
    expect(row.results).toMatch(/^k[as]*s$/);
  }, 60_000);

  it('shows the public nothing of a hold', async () => {
    const { alertId, slug } = await city.release(makeSubmission({ tier: 'page_only' }));
    const before = await city.worker.get(PublicAlerts).bySlug(slug);
    await holds().hold(city.liaison, alertId, 'danger');
    await holds().stop(city.liaison, alertId);
    expect(await city.worker.get(PublicAlerts).bySlug(slug)).toEqual(before);
  });

  it('refuses strangers, analysts, and what has ended', async () => {
    const { alertId } = await city.release(makeSubmission({ tier: 'page_only' }));
    const other = await makeActor(city.source, await tools.otherAgency(), 'verifier');
    await expect(holds().hold(other, alertId, 'other')).rejects.toMatchObject({ code: 'alert_not_found' });
    const analyst = await makeActor(city.source, city.liaison.agencyId, 'analyst');
    await expect(holds().stop(analyst, alertId)).rejects.toMatchObject({ code: 'forbidden' });
    await tools.end(alertId);
    await expect(holds().hold(city.liaison, alertId, 'other')).rejects.toMatchObject({ code: 'alert_ended' });
    await expect(holds().stop(city.liaison, alertId)).rejects.toMatchObject({ code: 'alert_ended' });
  });

  it('holds or ends, whichever comes first, and never both halves', async () => {
    const { alertId, caseId } = await city.release(makeSubmission({ tier: 'page_only' }));
    const race = () => Promise.allSettled([holds().hold(city.verifier, alertId, 'other'), tools.end(alertId)]);
    const [held, ended] = await contended(city.source, 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE', caseId, 2, race);
    expect(ended.status).toBe('fulfilled');
    if (held.status === 'rejected') expect(held.reason).toMatchObject({ code: 'alert_ended' });
    expect((await tools.row(alertId)).state).toBe('ended');
  });

  it('closes or releases, one way', async () => {
    const id = await city.submit(makeSubmission({ tier: 'page_only' }));
    const version = await city.versionOf(id);
    const closing = { outcome: 'safe', cause: 'none' } as const;
    const [verified, closed] = await contended(city.source, 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE', id, 2, () =>
      Promise.allSettled([
        tools.release.verify(city.verifier, id, version),
        city.worker.get(Ending).closeCase(city.liaison, id, closing),
      ]),
    );
    expect(verified.status).toBe('fulfilled');
    expect(closed).toMatchObject({ status: 'rejected' });
    const code = expect.stringMatching(/^(alert_live|case_transition_illegal)$/);
    if (closed.status === 'rejected') expect(closed.reason).toMatchObject({ code });
  });
});

describe('holding while the provider is silent', () => {
  let city: TestCity;
  /** Takes connections and never says a word. */
  const silent = createServer((socket) => socket.on('error', () => undefined).resume());

  beforeAll(async () => {
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    city = await TestCity.start({}, { FCM_ENDPOINT: `https://127.0.0.1:${port}` });
  }, 60_000);

  afterAll(async () => {
    await city?.close();
    silent.close();
  });

  it('recalls what waits for a connection', async () => {
    const tools = new LiveAlertTools(city);
    await makeDevices(city.source, scatter(100, SHENZHEN, 1_000));
    const { alertId } = await city.release();
    const doubtful = `SELECT count(*) AS begun FROM batches WHERE alert_id = $1 AND results LIKE '%~%'`;
    await until('a chunk is begun', async () => {
      const [row] = await city.source.query<[{ begun: number }]>(doubtful, [alertId]);
      return row.begun > 0;
    });
    await city.worker.get(Holds).hold(city.liaison, alertId, 'maybe_found');
    const free = async () => (await tools.leased(alertId)) === 0;
    await until('no batch is leased', free, HELD_WITHIN_MS);
    const [row] = await city.source.query<[{ begun: number }]>(doubtful, [alertId]);
    expect(row.begun).toBe(0);
    expect((await city.books(alertId, 'ring')).pending).toBe(100);
  }, 30_000);
});
