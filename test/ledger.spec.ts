import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { BatchSender, Ending } from '#dispatch';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import { Ledger } from '../libs/dispatch/src/ledger.service.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { until } from './harness/until.ts';

const NO_FAULTS = { faults: { unavailable: 0, internal: 0, quota429: 0, reset: 0 }, down: false } as const;

describe('the ledger', () => {
  let city: TestCity;
  let batches: BatchRepository;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } });
    batches = city.worker.get(BatchRepository);
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await city.simulator.configure({ ...NO_FAULTS, latencyMs: { min: 0, max: 0 } });
  });

  /** Releases an alert to a few devices and holds its only batch back from the worker. */
  const heldBatch = async (devices: number) => {
    await makeDevices(city.source, scatter(devices, SHENZHEN, 500));
    await city.source.query(
      `CREATE OR REPLACE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.run_at := 'infinity'; RETURN NEW; END $$`,
    );
    await city.source.query(
      'CREATE TRIGGER hold_back BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION hold_back()',
    );
    const { alertId } = await city.release();
    await city.source.query('DROP TRIGGER hold_back ON batches');
    const [batch] = await city.source.query<[{ id: number }]>('SELECT id FROM batches WHERE alert_id = $1', [alertId]);
    return { alertId, batchId: batch.id };
  };

  const DUE = 'UPDATE batches SET run_at = now() WHERE id = $1';

  /** Claims a batch that is held back, in the transaction that makes it due: the city's own worker has no moment to be first. */
  const claimed = (batchId: number) =>
    city.source.transaction(async (tx) => {
      await tx.query(DUE, [batchId]);
      const lease = await new BatchRepository(tx as unknown as DataSource).claim(
        batchId,
        (await stateOf(batchId)).epoch,
      );
      if (!lease) throw new Error('a batch that is due was not given');
      return lease;
    });

  const stateOf = async (batchId: number) => {
    const [row] = await city.source.query<[{ state: string; epoch: number; results: string | null }]>(
      'SELECT state, epoch, results FROM batches WHERE id = $1',
      [batchId],
    );
    return row;
  };

  it('gives a batch to one of several workers', async () => {
    const { batchId } = await heldBatch(20);
    const { epoch } = await stateOf(batchId);
    await city.source.query(DUE, [batchId]);
    const claims = await Promise.all([
      batches.claim(batchId, epoch),
      batches.claim(batchId, epoch),
      batches.claim(batchId, epoch),
    ]);
    // The city's own worker is one more that may have been first.
    expect(claims.filter((claim) => claim !== null).length).toBeLessThanOrEqual(1);
    expect((await stateOf(batchId)).epoch).toBe(epoch + 1);
  });

  it('lets a worker whose lease was taken write nothing', async () => {
    const { batchId } = await heldBatch(20);
    const lease = await claimed(batchId);
    await city.source.query(`UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1`, [batchId]);
    await city.worker.get(Ledger).reclaim();
    await until('sent by another', async () => (await stateOf(batchId)).state === 'settled');
    const before = await stateOf(batchId);
    const forged = 'r'.repeat(lease.size);
    expect(await batches.checkpoint(lease, forged, true)).toBeNull();
    const settling = city.source.transaction((tx) =>
      batches.settle(tx, lease, { results: forged, retryMs: null, pushed: true, tried: true }),
    );
    expect(await settling).toBe(false);
    expect((await stateOf(batchId)).results).not.toContain('r');
    expect(before.epoch).toBeGreaterThan(lease.epoch);
  });

  it('keeps a batch with its worker while answers are slow', async () => {
    const WITHOUT_ANSWER = `SELECT lease_until AS "until" FROM batches
      WHERE alert_id = $1 AND state = 'leased' AND results LIKE '%~%' AND results NOT LIKE '%a%'`;
    await makeDevices(city.source, scatter(20, SHENZHEN, 500));
    await city.simulator.configure({ latencyMs: { min: 8_000, max: 8_000 } });
    const { alertId } = await city.release();
    const lease = async () => (await city.source.query<{ until: Date }[]>(WITHOUT_ANSWER, [alertId]))[0]?.until;
    const first = await until('a chunk is under way', lease);
    await until('its lease is renewed before it is answered', async () => ((await lease()) ?? first) > first);
    await city.settled(alertId);
    expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: 20, duplicates: 0 });
  });

  it('tells a batch that was leased at the ending, once its worker went silent', async () => {
    const { alertId, batchId } = await heldBatch(30);
    const lease = await claimed(batchId);
    // Ten were accepted, ten were on the wire, ten not yet asked when the worker died.
    await batches.checkpoint(lease, 'a'.repeat(10) + '~'.repeat(10) + '.'.repeat(10), true);
    await city.worker.get(Ending).end(city.liaison, alertId, {
      kind: 'found',
      ending: 'ended',
      familyTold: false,
      outcome: 'safe',
      cause: 'none',
    });
    expect((await city.books(alertId, 'notified')).size).toBe(0);
    await city.source.query(`UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1`, [batchId]);
    await until('told', async () => (await city.books(alertId, 'notified')).accepted === 20);
    await city.settled(alertId);
    expect((await stateOf(batchId)).results).toBe('a'.repeat(10) + 'k'.repeat(10) + 's'.repeat(10));
    expect(city.simulator.alertStats(alertId).byKind.alert).toBeUndefined();
  });

  it('does not close an ending’s wave while a batch is being added to it', async () => {
    const { alertId, batchId } = await heldBatch(10);
    const lease = await claimed(batchId);
    const end = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'none' } as const;
    await city.worker.get(Ending).end(city.liaison, alertId, end);
    const waves = city.worker.get(WaveRepository);
    const settling = Promise.withResolvers<void>();
    const adding = city.source.transaction(async (tx) => {
      await batches.settle(tx, lease, { results: 'a'.repeat(10), retryMs: null, pushed: true, tried: true });
      await waves.bringUp(tx, alertId, batchId);
      await settling.promise;
    });
    await until('the batch waits to be committed', async () => {
      const [row] = await city.source.query<[{ locks: number }]>(
        `SELECT count(*) AS locks FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE c.relname = 'waves' AND l.mode = 'RowExclusiveLock'`,
      );
      return row.locks > 0;
    });
    await city.source.transaction((tx) => waves.settle(tx));
    settling.resolve();
    await adding;
    await until('told', async () => (await city.books(alertId, 'notified')).accepted === 10);
  });

  it('does nothing for a job whose epoch is over', async () => {
    const { batchId } = await heldBatch(5);
    await city.source.query(DUE, [batchId]);
    await until('settled', async () => (await stateOf(batchId)).state === 'settled');
    expect(await city.worker.get(BatchSender).send({ batchId, epoch: 0, waveId: 1, band: 0 })).toBe(false);
  });

  it('comes through 503, 500, 429 and broken streams with one result for everyone, and none lost', async () => {
    await makeDevices(city.source, scatter(1200, SHENZHEN, 20_000));
    await city.simulator.configure({ faults: { unavailable: 0.1, internal: 0.05, quota429: 0.02, reset: 0.03 } });
    const { alertId, targeted } = await city.release();
    await until('most are asked', () => city.simulator.alertStats(alertId).accepted > targeted / 2, 60_000);
    await city.simulator.configure({ faults: { unavailable: 0, internal: 0, quota429: 0, reset: 0 } });
    await city.settled(alertId, 60_000);
    const ring = await city.books(alertId, 'ring');
    expect(ring.accepted + ring.unknown).toBe(targeted);
    const { duplicates, byKind } = city.simulator.alertStats(alertId);
    const kind = byKind.alert;
    // A push that was answered, or delivered without an answer, reached its phone; only the latter may come twice.
    expect((kind?.accepted ?? 0) - duplicates).toBeLessThanOrEqual(targeted);
    expect(ring.attempts).toBeGreaterThan(1);
  }, 120_000);
});
