import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

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

  const lostLeases = async (alertId: string) => {
    const { rows } = await admin.query<{ lost: string }>(
      'SELECT sum(lost_leases) AS lost FROM batches WHERE alert_id = $1',
      [alertId],
    );
    return Number(rows[0]?.lost);
  };

  const demandNothingLost = async (alertId: string, targeted: number) => {
    await city.settled(alertId, 60_000);
    expect(await city.books(alertId, 'ring')).toMatchObject({ accepted: targeted, unknown: 0, pending: 0 });
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
    expect(await lostLeases(alertId)).toBe(0);
  };

  it.each(['53100', '57P03', '40001'])(
    'is written once it can be: SQLSTATE %s',
    async (state) => {
      const { alertId, targeted } = await underWay(2_000);
      await admin.query(
        `CREATE TRIGGER refuse BEFORE UPDATE ON batches FOR EACH ROW EXECUTE FUNCTION refuse('${state}')`,
      );
      await until('writes were refused', async () => {
        const { rows } = await admin.query<{ n: string }>('SELECT last_value AS n FROM failed_writes');
        return Number(rows[0]?.n) > 20;
      });
      const sent = city.simulator.alertStats(alertId).accepted;
      await until('many more were refused', async () => {
        const { rows } = await admin.query<{ n: string }>('SELECT last_value AS n FROM failed_writes');
        return Number(rows[0]?.n) > 40;
      });
      // Nobody is asked whom the ledger could not be told of before.
      expect(city.simulator.alertStats(alertId).accepted).toBe(sent);
      await admin.query('DROP TRIGGER refuse ON batches');
      await demandNothingLost(alertId, targeted);
    },
    120_000,
  );

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
