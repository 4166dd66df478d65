import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Devices } from '#audience';
import { Ending, Freezing, Holds, LandAsks } from '#dispatch';
import { Clock, Transactions } from '#platform';
import { AlertRepository } from '../libs/dispatch/src/alert.repository.ts';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import { seedAlert } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeActor, makeDevices, makeSubmission, scatter, seedAgency, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { until } from './harness/until.ts';

const TOMORROW = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const NOON = new Date(`${TOMORROW}T12:00:00+08:00`);
const NIGHT = new Date(`${TOMORROW}T23:30:00+08:00`);
const HOUR_MS = 3_600_000;

describe('an alert at its edges', () => {
  let city: TestCity;
  let tools: LiveAlertTools;

  beforeAll(async () => {
    city = await TestCity.start({ unregisteredRate: 0, phones: { openRate: 0 } });
    tools = new LiveAlertTools(city);
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    clockAt(null);
  });

  const clockAt = (at: Date | null) =>
    Object.assign(city.worker.get(Clock, { strict: false }), { now: () => at ?? new Date() });

  const near = { kind: 'circle', center: SHENZHEN, radiusM: 10_000 } as const;

  /** All are asked, and a worker died with the last batch: who of it was in hand is in doubt. */
  const withDeadWorker = async () => {
    await makeDevices(city.source, scatter(300, SHENZHEN, 9_000));
    const released = await city.release(makeSubmission({ area: near }));
    await city.settled(released.alertId);
    const [[batch]] = await city.source.query<[[{ id: number; size: number }], number]>(
      `UPDATE batches SET state = 'leased', lease_until = now() + interval '1 hour', results = '~' || substr(results, 2)
       WHERE id = (SELECT max(id) FROM batches WHERE alert_id = $1) RETURNING id, size`,
      [released.alertId],
    );
    await city.source.query('UPDATE waves SET settled_at = NULL WHERE alert_id = $1', [released.alertId]);
    return { ...released, batch };
  };

  const leaseRunsOut = (batchId: number) =>
    city.source.query(`UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1`, [batchId]);

  it('tells the ending to whom a dead worker had in hand, although it was held', async () => {
    const { alertId, batch } = await withDeadWorker();
    await city.worker.get(Holds).hold(city.verifier, alertId, 'maybe_found');
    await tools.end(alertId);
    expect((await city.books(alertId, 'notified')).size).toBe(300 - batch.size);
    await leaseRunsOut(batch.id);
    await city.settled(alertId, 20_000);
    expect(await city.books(alertId, 'notified')).toMatchObject({ size: 300, accepted: 300 });
    expect(await city.books(alertId, 'ring')).toMatchObject({ pending: 0, unknown: 1 });
  }, 60_000);

  it('tells a safety correction to whom a dead worker had in hand, while it is held', async () => {
    const { alertId, batch } = await withDeadWorker();
    await city.source.query(
      `INSERT INTO alert_photos (alert_id, jpeg, sha256, width, height) VALUES ($1, '', '', 1, 1)`,
      [alertId],
    );
    await city.worker.get(Holds).hold(city.verifier, alertId, 'maybe_found');
    await tools.photoDown(city.verifier, alertId, true);
    await leaseRunsOut(batch.id);
    await until('everyone is told', async () => (await city.books(alertId, 'notified')).accepted === 300, 20_000);
  }, 60_000);

  it('does not end what was renewed while its ending was under way', async () => {
    const { id } = await seedAlert(city.source);
    const again = `UPDATE alerts SET expires_at = now() + interval '1 hour' WHERE id = $1`;
    await city.source.query('UPDATE alerts SET expires_at = clock_timestamp() WHERE id = $1', [id]);
    await contended(city.source, again, id, 1, () => city.worker.get(Ending).expireOverdue());
    expect((await tools.row(id)).state).toBe('live');
  });

  it('is held at once, however many batches of it settle', async () => {
    const { id, batchIds } = await seedAlert(city.source, { batches: [10] });
    const officer = await makeActor(city.source, city.liaison.agencyId, 'verifier');
    let held = false;
    let settled = 0;
    const batches = city.worker.get(BatchRepository);
    // Out of step, so that at hardly any time nobody shares the alert's row.
    const settle = async (): Promise<void> => {
      await city.worker.get(Transactions).run(async ({ tx }) => {
        await batches.standing(tx, batchIds[0] as number);
        settled++;
        await tx.query('SELECT pg_sleep(0.05 + random() * 0.1)');
      });
      if (!held && settled < 200) await settle();
    };
    const settling = Array.from({ length: 5 }, settle);
    await until('some settle', () => settled > 24);
    const before = settled;
    const rows = city.worker.get(AlertRepository);
    await city.worker.get(Transactions).run(async ({ tx }) => {
      await rows.lock(tx, id);
      await rows.hold(tx, id, officer.id, 'other');
    });
    held = true;
    // Those under way are waited for; of those who come later, at most the few that were before it in the queue.
    expect(settled - before).toBeLessThan(20);
    await Promise.all(settling);
  });

  it('reaches nobody by the yes of an officer who was frozen meanwhile', async () => {
    const { id } = await seedAlert(city.source);
    const agencyId = await seedAgency(city.source);
    const bad = await makeActor(city.source, agencyId, 'verifier');
    const chief = await makeActor(city.source, agencyId, 'administrator');
    const askId = randomUUID();
    await city.source.query(
      `INSERT INTO alert_lands (id, alert_id, agency_id, policy, state, land)
       VALUES ($1, $2, $3, 'ask', 'asked', ST_Multi(ST_MakeEnvelope(114, 22.5, 114.2, 22.7, 4326)))`,
      [askId, id, agencyId],
    );
    const asks = city.worker.get(LandAsks);
    const ask = (await asks.list(bad)).find((one) => one.id === askId);
    await city.worker.get(Freezing).freezeOfficer(chief, bad.id);
    await expect(asks.agree(bad, askId, ask?.seen ?? '')).rejects.toMatchObject({ code: 'session_invalid' });
    await expect(asks.refuse(bad, askId, 'other')).rejects.toMatchObject({ code: 'session_invalid' });
  });

  it('asks by day only when it is serious, also what was due by day and is resumed at night', async () => {
    await makeDevices(city.source, scatter(300, SHENZHEN, 9_000));
    await city.simulator.configure({ down: true });
    clockAt(NOON);
    const id = await city.submit(makeSubmission({ area: near, tier: 'serious', hours: 72 }));
    const byDay = { ...city.verifier, steppedUpAt: NOON };
    const released = await tools.release.verify(byDay, id, await city.versionOf(id));
    const alertId = released?.alertId ?? '';
    await city.worker.get(Holds).hold(city.verifier, alertId, 'wrong_facts');
    await until('no batch is leased', async () => (await tools.leased(alertId)) === 0);
    await city.simulator.configure({ down: false });
    clockAt(NIGHT);
    await city.source.query(`UPDATE batches SET run_at = now() WHERE alert_id = $1 AND state = 'pending'`, [alertId]);
    const resuming = await tools.propose(alertId, { kind: 'resume' });
    await tools.approve(alertId, resuming, { ...city.verifier, steppedUpAt: NIGHT });
    const waits = async () => {
      const [row] = await city.source.query<[{ batches: number }]>(
        `SELECT count(*) AS batches FROM batches WHERE alert_id = $1 AND state <> 'settled'
           AND (state = 'leased' OR run_at < now() + interval '7 hours')`,
        [alertId],
      );
      return row.batches === 0;
    };
    await until('all wait for the morning', waits, 20_000);
    expect(city.simulator.alertStats(alertId).accepted).toBe(0);
    const [{ latest }] = await city.source.query<[{ latest: number }]>(
      'SELECT max(extract(epoch FROM run_at - now()) * 1000)::float8 AS latest FROM batches WHERE alert_id = $1',
      [alertId],
    );
    expect(latest).toBeLessThanOrEqual(7.5 * HOUR_MS);
    await city.worker.get(Holds).stop(city.verifier, alertId);
  }, 60_000);

  it('counts once whom two rings around one point withhold', async () => {
    const devices = await makeDevices(city.source, [...scatter(40, SHENZHEN, 8_000), ...scatter(20, SHENZHEN, 9_000)]);
    const unwilling = devices.slice(0, 15).map(({ id }) => id);
    await city.source.query(`UPDATE positions SET opted_out = '{critical}' WHERE device_id = ANY ($1::bigint[])`, [
      unwilling,
    ]);
    const { alertId, targeted } = await city.release(makeSubmission({ area: near }));
    expect(targeted).toBe(45);
    await makeDevices(city.source, scatter(10, SHENZHEN, 9_000));
    await tools.change(alertId, { kind: 'ring', radiusM: 20_000 });
    const [books] = await city.source.query<[{ targeted: number; withheld: number }]>(
      `SELECT sum(targeted)::int AS targeted, sum(coalesce((withheld->>'opted_out')::int, 0))::int AS withheld
       FROM waves WHERE alert_id = $1 AND audience = 'ring'`,
      [alertId],
    );
    expect(books).toEqual({ targeted: 55, withheld: 15 });
  });

  it('looks once at a device that is still there, however long ago it registered', async () => {
    const [device] = await makeDevices(city.source, [SHENZHEN], 3);
    await city.source.query(`UPDATE devices SET heard_at = now() - interval '300 days'`);
    expect(await city.worker.get(Devices).forgetUnheard()).toBe(0);
    const rows = await city.source.query<unknown[]>(
      `SELECT 1 FROM devices d JOIN positions p ON p.device_id = d.id WHERE d.id = $1 AND d.heard_at = p.seen_at`,
      [device?.id],
    );
    expect(rows).toHaveLength(1);
  });

  it('withholds from whom five alerts asked today', async () => {
    await makeDevices(city.source, scatter(20, SHENZHEN, 9_000));
    const release = () => city.release(makeSubmission({ area: near }));
    const released = [];
    for (let nth = 0; nth < 5; nth++) released.push(await release());
    for (const { alertId, targeted } of released) {
      expect(targeted).toBe(20);
      await city.settled(alertId);
    }
    expect(await release()).toMatchObject({ targeted: 0, withheld: { daily_cap: 20 } });
  }, 60_000);
});
