import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { LedgerOverview, type LedgerReading } from '#dispatch';
import { Metrics, Outbox } from '#platform';
import { seedAlert, settleBatch } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { undone } from './harness/undone.ts';
import { until } from './harness/until.ts';

describe('what a worker tells Prometheus', () => {
  let city: TestCity;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } });
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices, alerts CASCADE');
    await city.simulator.configure({ unregisteredRate: 0, faults: { unavailable: 0 } });
  });

  /** One sample, by its name and labels as they stand in the text; 0 where there is none. */
  const sample = async (series: string): Promise<number> => {
    const text = await city.worker.get(Metrics, { strict: false }).registry.metrics();
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length));
  };

  /** How much some samples grow while something is done. */
  const growth = async (series: readonly string[], work: () => Promise<unknown>) => {
    const before = await Promise.all(series.map(sample));
    await work();
    const after = await Promise.all(series.map(sample));
    return after.map((value, n) => value - (before[n] as number));
  };

  it('counts every push and every result of an alert, as the ledger and the provider do', async () => {
    await city.simulator.configure({ unregisteredRate: 0.1 });
    await makeDevices(city.source, scatter(1200, SHENZHEN, 60_000));
    const series = [
      'golden72_pushes_total{outcome="accepted",reason=""}',
      'golden72_pushes_total{outcome="unregistered",reason="token"}',
      'golden72_results_total{result="accepted"}',
      'golden72_results_total{result="unregistered"}',
      'golden72_batch_turns_total{end="settled"}',
      'golden72_first_push_seconds_count{audience="ring"}',
    ];
    let alertId = '';
    const grown = await growth(series, async () => {
      ({ alertId } = await city.release());
      await city.settled(alertId);
    });
    const { accepted, unregistered } = await city.books(alertId, 'ring');
    const [{ batches }] = await city.source.query<[{ batches: number }]>('SELECT count(*) AS batches FROM batches');
    expect(unregistered).toBeGreaterThan(0);
    expect(grown).toEqual([accepted, unregistered, accepted, unregistered, batches, 1]);
    expect(await sample('golden72_push_sessions')).toBeGreaterThan(0);
  });

  it('counts the first push of a wave whose nearest have all gone', async () => {
    await city.simulator.configure({ unregisteredRate: 1 });
    await makeDevices(city.source, scatter(3, SHENZHEN, 900));
    const grown = await growth(['golden72_first_push_seconds_count{audience="ring"}'], async () => {
      await city.settled((await city.release()).alertId);
    });
    expect(grown).toEqual([1]);
  });

  it('tells retries by why, and counts a result once', async () => {
    await makeDevices(city.source, scatter(40, SHENZHEN, 900));
    await city.simulator.configure({ faults: { unavailable: 1 } });
    const series = [
      'golden72_pushes_total{outcome="retry",reason="provider"}',
      'golden72_results_total{result="accepted"}',
      'golden72_batch_turns_total{end="away"}',
      'golden72_first_push_seconds_count{audience="ring"}',
    ];
    const [refused, accepted, turns, first] = await growth(series, async () => {
      const { alertId } = await city.release();
      await until('it was refused', async () => (await city.books(alertId, 'ring')).attempts > 0);
      await until('it was counted', async () => (await sample(series[0] as string)) >= 40);
      await city.simulator.configure({ faults: { unavailable: 0 } });
      await city.settled(alertId);
    });
    expect(refused).toBeGreaterThanOrEqual(40);
    expect(turns).toBeGreaterThan(0);
    expect(accepted).toBe(40);
    // Not when it was refused first.
    expect(first).toBe(1);
  });

  describe('of the ledger', () => {
    const read = (tx?: EntityManager): Promise<LedgerReading> => city.worker.get(LedgerOverview).read(tx);
    const dueS = ({ open }: LedgerReading) => open.find(({ audience }) => audience === 'ring')?.dueS;
    /** Held, so that no worker touches it. */
    const hold = (id: string, reason = 'mistake') =>
      city.source.query('UPDATE alerts SET held_at = now(), held_reason = $2 WHERE id = $1', [id, reason]);

    it('has zeroes where there is nothing', async () => {
      const none = { waves: 0, recipients: 0, batches: 0, retried: 0, dead: 0, dueS: 0 };
      expect(await read()).toEqual({
        open: expect.arrayContaining([
          { audience: 'ring', ...none },
          { audience: 'notified', ...none },
        ]) as unknown,
        live: [],
        silentS: 0,
        overdueS: 0,
      });
    });

    it('sums what is unsettled, and holds nothing due that is held', async () => {
      const alert = await seedAlert(city.source, { batches: [3, 5, 2, 4] });
      await hold(alert.id, 'danger');
      await settleBatch(city.source, alert.batchIds[0] as number, 'aau', [1, 2]);
      await settleBatch(city.source, alert.batchIds[1] as number, 'aa..~', [1, 2]);
      await city.source.query('UPDATE batches SET attempt = 2 WHERE id = $1', [alert.batchIds[1]]);
      await city.source.query(
        `UPDATE batches SET state = 'dead', dead_reason = 'TypeError', dead_at = now() WHERE id = $1`,
        [alert.batchIds[3]],
      );
      const { open, live } = await read();
      expect(live).toEqual([{ held: 'danger', alerts: 1 }]);
      expect(open.find(({ audience }) => audience === 'ring')).toEqual({
        ...{ audience: 'ring', waves: 1, recipients: 9, batches: 2, retried: 1, dead: 1, dueS: 0 },
      });
      expect(open.find(({ audience }) => audience === 'notified')).toMatchObject({ waves: 0, recipients: 0 });
    });

    it('tells how long what is due has waited, a lease has been silent and an alert overdue', async () => {
      const alert = await seedAlert(city.source, { batches: [3, 5] });
      await hold(alert.id);
      // Unseen by the worker, which would mend all of it at once.
      await undone(city.source, async (tx) => {
        await tx.query(`UPDATE batches SET run_at = now() - interval '90 seconds' WHERE id = $1`, [alert.batchIds[0]]);
        await tx.query(
          `UPDATE batches SET state = 'leased', lease_until = now() - interval '40 seconds' WHERE id = $1`,
          [alert.batchIds[1]],
        );
        await tx.query(`UPDATE alerts SET expires_at = now() - interval '30 seconds'`);
        expect(dueS(await read(tx))).toBe(0);
        await tx.query('UPDATE waves SET passes_hold = true');
        const reading = await read(tx);
        expect(dueS(reading)).toBe(90);
        expect([reading.silentS, reading.overdueS]).toEqual([40, 30]);
      });
    });
  });

  it('tells how far the outbox is behind, and the quota ahead', async () => {
    expect(await city.worker.get(Outbox, { strict: false }).lag()).toEqual({ rows: 0, oldestS: 0 });
    await makeDevices(city.source, scatter(30, SHENZHEN, 900));
    const { alertId } = await city.release(makeSubmission());
    await city.settled(alertId);
    const text = await city.worker.get(Metrics, { strict: false }).registry.metrics();
    for (const name of ['golden72_outbox_rows', 'golden72_pacer_room', 'golden72_due_seconds']) {
      expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'));
    }
    expect(text).toMatch(/^golden72_readings_failed_total\{source="ledger"\} 0$/m);
  });
});
