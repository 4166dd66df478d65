import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Cases } from '#cases';
import { Ending, Release } from '#dispatch';
import { coarsen, type LonLat } from '#geo';
import { TestCity } from './harness/city.ts';
import { makeActor, makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

/** 90 km east of {@link SHENZHEN}. */
const FAR: LonLat = coarsen([114.94, 22.54]);

const FOUND = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'direct' } as const;

describe('dispatch', () => {
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } });
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await city.simulator.configure({ unregisteredRate: 0 });
  });

  const end = (alertId: string) => city.worker.get(Ending).end(city.liaison, alertId, FOUND);

  it('asks exactly those within 120 km, nearest first, and balances its books with the simulator', async () => {
    await city.simulator.configure({ unregisteredRate: 0.05 });
    await makeDevices(city.source, scatter(3000, SHENZHEN, 150_000));
    const [oracle] = await city.source.query<[{ inside: number }]>(
      `SELECT count(*) AS inside FROM positions
       WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, 120000)`,
      [...SHENZHEN],
    );
    const { alertId, targeted } = await city.release();
    expect(targeted).toBe(oracle.inside);
    expect(oracle.inside).toBeGreaterThan(1000);
    await city.settled(alertId);
    const ring = await city.books(alertId, 'ring');
    const { accepted, unregistered, rejected, expired, stopped, unknown } = ring;
    expect(ring.pending).toBe(0);
    expect(accepted + unregistered + rejected + expired + stopped + unknown).toBe(targeted);
    expect(city.simulator.alertStats(alertId).accepted).toBe(accepted);
    expect(unregistered).toBeGreaterThan(0);
    const order = await city.source.query<{ band: number }[]>(
      'SELECT band FROM batches WHERE alert_id = $1 ORDER BY seq',
      [alertId],
    );
    const bands = order.map((batch) => batch.band);
    expect(bands).toEqual(bands.toSorted((a, b) => a - b));
  });

  it('tells exactly those who were asked how it ended, less those who left', async () => {
    await makeDevices(city.source, scatter(1500, SHENZHEN, 60_000));
    const { alertId } = await city.release();
    await city.settled(alertId);
    const ring = await city.books(alertId, 'ring');
    const [gone] = await city.source.query<[{ n: number }]>(
      `WITH asked AS (SELECT unnest(r.ids) AS id, unnest(string_to_array(b.results, NULL)) AS result
         FROM batches b JOIN batch_recipients r ON r.batch_id = b.id WHERE b.alert_id = $1),
       leaving AS (DELETE FROM devices WHERE id IN (SELECT id FROM asked WHERE result = 'a' LIMIT 7) RETURNING 1)
       SELECT count(*) AS n FROM leaving`,
      [alertId],
    );
    expect(gone.n).toBe(7);
    await end(alertId);
    await city.settled(alertId);
    const told = await city.books(alertId, 'notified');
    expect(told.size).toBe(ring.accepted + ring.unknown - 7);
    expect(told.accepted).toBe(told.size);
    expect(city.simulator.alertStats(alertId).byKind.found?.accepted).toBe(told.accepted);
  });

  it('stops at an ending: what was not sent is stopped, what was sent is told', async () => {
    await makeDevices(city.source, scatter(3000, SHENZHEN, 100_000));
    await city.simulator.configure({ latencyMs: { min: 30, max: 60 } });
    const { alertId } = await city.release();
    await until('some are asked', () => city.simulator.alertStats(alertId).accepted > 200);
    await end(alertId);
    await city.settled(alertId);
    await city.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    const [ring, told] = [await city.books(alertId, 'ring'), await city.books(alertId, 'notified')];
    expect(ring.pending).toBe(0);
    expect(ring.stopped).toBeGreaterThan(0);
    expect(told.size).toBe(ring.accepted + ring.unknown);
    expect(city.simulator.alertStats(alertId).byKind.alert?.accepted).toBe(ring.accepted);
    const [wave] = await city.source.query<[{ targeted: number }]>(
      `SELECT targeted FROM waves WHERE alert_id = $1 AND audience = 'notified'`,
      [alertId],
    );
    expect(wave.targeted).toBe(told.size);
  });

  it('refuses the submitter, a stale version and a second verification', async () => {
    const release = city.worker.get(Release);
    const agent = await makeActor(city.source, city.liaison.agencyId, 'liaison', 'verifier');
    const id = await release.file(agent, makeSubmission());
    await release.submit(agent, id);
    const version = await city.versionOf(id);
    await expect(release.verify(agent, id, version)).rejects.toMatchObject({ code: 'verifier_is_author' });
    await expect(release.verify(city.verifier, id, 'f'.repeat(64))).rejects.toMatchObject({ code: 'version_changed' });
    await release.verify(city.verifier, id, version);
    await expect(release.verify(city.verifier, id, version)).rejects.toMatchObject({ code: 'case_transition_illegal' });
  });

  it('lets one of two verifications at the same time win', async () => {
    const release = city.worker.get(Release);
    const id = await city.submit();
    const version = await city.versionOf(id);
    const other = await makeActor(city.source, city.liaison.agencyId, 'verifier');
    const both = await Promise.allSettled([
      release.verify(city.verifier, id, version),
      release.verify(other, id, version),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses a case last seen outside the jurisdiction', async () => {
    const id = await city.worker.get(Release).file(city.liaison, makeSubmission({}, [121.47, 31.23]));
    const submitting = city.worker.get(Release).submit(city.liaison, id);
    await expect(submitting).rejects.toMatchObject({ code: 'outside_jurisdiction' });
  });

  it('expires by itself, tells those who were asked, and leaves the case open', async () => {
    await makeDevices(city.source, scatter(50, SHENZHEN, 5_000));
    const { alertId, caseId } = await city.release();
    await city.settled(alertId);
    await city.source.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [alertId]);
    await until('expired', async () => {
      const [row] = await city.source.query<[{ state: string }]>('SELECT state FROM alerts WHERE id = $1', [alertId]);
      return row.state === 'ended';
    });
    await city.settled(alertId);
    expect(city.simulator.alertStats(alertId).byKind.expire?.accepted).toBeGreaterThan(0);
    expect((await city.worker.get(Cases).read(city.verifier, caseId)).found.state).toBe('active');
  });

  it('withholds from a phone what would be its sixth critical alert of the day', async () => {
    await makeDevices(city.source, [SHENZHEN]);
    for (let n = 0; n < 5; n++) await city.settled((await city.release()).alertId);
    expect(await city.release()).toMatchObject({ targeted: 0, withheld: { daily_cap: 1 } });
  });

  it('sends to the others when one token does not belong', async () => {
    await makeDevices(city.source, scatter(40, SHENZHEN, 900));
    await city.source.query(`UPDATE devices SET token = 'stranger:APA91b' WHERE id = (SELECT min(id) FROM devices)`);
    const { alertId } = await city.release();
    await city.settled(alertId);
    expect(await city.books(alertId, 'ring')).toMatchObject({ rejected: 1, pending: 0, unknown: 0 });
  });

  it('shows the circle’s centre no finer than a position', async () => {
    const area = { kind: 'circle', center: [114.0612345, 22.5498765], radiusM: 5_000 } as const;
    const { alertId } = await city.release(makeSubmission({ area }));
    const [row] = await city.source.query<[{ area: { center: LonLat } }]>('SELECT area FROM alerts WHERE id = $1', [
      alertId,
    ]);
    expect(row.area.center).toEqual(coarsen(area.center));
  });

  it('does not keep a small alert waiting behind a big one', async () => {
    await makeDevices(city.source, [...scatter(3000, SHENZHEN, 40_000), ...scatter(30, FAR, 900)]);
    await city.simulator.configure({ latencyMs: { min: 60, max: 90 } });
    const big = await city.release(makeSubmission({ area: { kind: 'circle', center: SHENZHEN, radiusM: 60_000 } }));
    await until('the big one is under way', () => city.simulator.alertStats(big.alertId).accepted > 100);
    const small = await city.release(makeSubmission({ area: { kind: 'circle', center: FAR, radiusM: 5_000 } }));
    await until('the small one is done', () => city.simulator.alertStats(small.alertId).accepted >= 25);
    expect(city.simulator.alertStats(big.alertId).accepted).toBeLessThan(big.targeted);
    await city.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    await city.settled(big.alertId, 60_000);
  });

  it('asks nobody for a page-only alert', async () => {
    await makeDevices(city.source, [SHENZHEN]);
    expect(await city.release(makeSubmission({ tier: 'page_only' }))).toMatchObject({ targeted: 0, withheld: {} });
  });
});
