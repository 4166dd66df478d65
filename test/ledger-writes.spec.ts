import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { Metrics } from '#platform';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

/** Longer than a worker holds on to what it knows. */
const A_MINUTE_MS = 61_000;

describe('what a worker knows while PostgreSQL is in trouble', () => {
  let city: TestCity;
  let admin: Client;

  beforeAll(async () => {
    city = await TestCity.start(
      { phones: { openRate: 0 }, latencyMs: { min: 20, max: 60 } },
      { PUSH_QUOTA_PER_MINUTE: '60000' },
    );
    admin = new Client(city.source.options.type === 'postgres' ? city.source.options.url : undefined);
    await admin.connect();
    await admin.query('CREATE SEQUENCE failed_writes');
    // What a sequence gave is not taken back by a rollback.
    await admin.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         PERFORM nextval('failed_writes'); RAISE EXCEPTION 'no' USING ERRCODE = TG_ARGV[0]; END $$`,
    );
  }, 60_000);

  afterAll(async () => {
    await admin?.end();
    await city?.close();
  });

  beforeEach(async () => {
    await admin.query('TRUNCATE devices CASCADE');
    await admin.query('ALTER SEQUENCE failed_writes RESTART');
  });

  const underWay = async (devices: number) => {
    await makeDevices(city.source, scatter(devices, SHENZHEN, 20_000));
    const released = await city.release();
    await until('some are asked', () => city.simulator.alertStats(released.alertId).accepted > devices / 5);
    return released;
  };

  const sumOf = async (alertId: string, column: 'lost_leases' | 'faults') => {
    const { rows } = await admin.query<{ sum: string }>(`SELECT sum(${column}) FROM batches WHERE alert_id = $1`, [
      alertId,
    ]);
    return Number(rows[0]?.sum);
  };

  const refusals = (more: number) => async () => {
    const { rows } = await admin.query<{ n: string }>('SELECT last_value AS n FROM failed_writes');
    return Number(rows[0]?.n) > more;
  };

  const demandNothingLost = async (alertId: string, targeted: number) => {
    await city.settled(alertId, 60_000);
    expect(await city.books(alertId, 'ring')).toMatchObject({ accepted: targeted, unknown: 0, pending: 0 });
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
    expect(await sumOf(alertId, 'lost_leases')).toBe(0);
  };

  it.each(['53100', '57P03', '40001'])(
    'is written once it can be: SQLSTATE %s',
    async (state) => {
      const { alertId, targeted } = await underWay(2_000);
      await admin.query(
        `CREATE TRIGGER refuse BEFORE UPDATE ON batches FOR EACH ROW EXECUTE FUNCTION refuse('${state}')`,
      );
      await until('writes were refused', refusals(20));
      const sent = city.simulator.alertStats(alertId).accepted;
      await until('many more were refused', refusals(40));
      // Nobody is asked whom the ledger could not be told of before.
      expect(city.simulator.alertStats(alertId).accepted).toBe(sent);
      await admin.query('DROP TRIGGER refuse ON batches');
      await demandNothingLost(alertId, targeted);
    },
    120_000,
  );

  it('is written once it can be, though the work throws', async () => {
    await admin.query(
      `CREATE TRIGGER refuse BEFORE UPDATE ON batches FOR EACH ROW WHEN (NEW.faults > OLD.faults) EXECUTE FUNCTION refuse('53100')`,
    );
    await makeDevices(city.source, scatter(20, SHENZHEN, 1_000));
    // Texts that nobody could have submitted.
    await admin.query('ALTER TABLE messages ALTER texts DROP NOT NULL');
    await admin.query(
      `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.texts := '{"en": null}'; RETURN NEW; END $$`,
    );
    await admin.query('CREATE TRIGGER spoil BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION spoil()');
    const { alertId } = await city.release();
    await until('the fault was refused again and again', refusals(3));
    await admin.query('DROP TRIGGER refuse ON batches');
    await admin.query('DROP TRIGGER spoil ON messages');
    await until('it is written', async () => (await sumOf(alertId, 'faults')) > 0);
    expect(await sumOf(alertId, 'lost_leases')).toBe(0);
    await admin.query(`UPDATE alerts SET held_at = now(), held_reason = 'other' WHERE id = $1`, [alertId]);
  }, 60_000);

  it('is no fault of its work when it cannot be written for long', async () => {
    const { alertId } = await underWay(400);
    const lost = async () => {
      const text = await city.worker.get(Metrics, { strict: false }).registry.metrics();
      return Number(/^golden72_batch_turns_total\{end="lost"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const before = await lost();
    await admin.query(
      `CREATE TRIGGER refuse BEFORE UPDATE ON batches FOR EACH ROW WHEN (NEW.faults = OLD.faults AND NEW.state <> 'pending')
         EXECUTE FUNCTION refuse('53100')`,
    );
    await until('writes were refused', refusals(5));
    const now = performance.now.bind(performance);
    const later = jest.spyOn(performance, 'now').mockImplementation(() => now() + A_MINUTE_MS);
    await until('a turn has ended', async () => (await lost()) > before);
    later.mockRestore();
    await admin.query('DROP TRIGGER refuse ON batches');
    expect(await sumOf(alertId, 'faults')).toBe(0);
    await admin.query(`UPDATE batches SET lease_until = now() - interval '1 second' WHERE state = 'leased'`);
    await city.settled(alertId, 60_000);
  }, 120_000);

  it('is written on other connections when all are cut, again and again', async () => {
    const { alertId, targeted } = await underWay(2_000);
    for (let cuts = 0; cuts < 5; cuts++) {
      const before = city.simulator.alertStats(alertId).accepted;
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      await until('it goes on', () => {
        const { accepted } = city.simulator.alertStats(alertId);
        return accepted > before || accepted === targeted;
      });
    }
    await demandNothingLost(alertId, targeted);
  }, 120_000);
});
