import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetters, Feeder, Gaps } from '#dispatch';
import { run } from '../apps/cli/src/program.ts';
import { AlertRepository } from '../libs/dispatch/src/alert.repository.ts';
import { Ledger } from '../libs/dispatch/src/ledger.service.ts';
import { Telling } from '../libs/dispatch/src/telling.service.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { Transactions } from '#platform';
import { TestCity } from './harness/city.ts';
import { redisUrl } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { shiftLedger } from './harness/shifted.ts';
import { until } from './harness/until.ts';

const BARREN_LEASES = 20;
const FAULTS = 5;
const TEXTS = { 'zh-CN': { title: '寻人', body: '八岁。' }, en: { title: 'Missing', body: 'Eight.' } };

describe('dead letters', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const rowOf = async (batchId: number) => {
    const [row] = await ledger.source.query<
      [{ state: string; reason: string | null; pending: number; results: string | null; version: number }]
    >('SELECT state, dead_reason AS reason, pending, results, version FROM batches WHERE id = $1', [batchId]);
    return row;
  };

  /** Works on it once, with such results, and throws. */
  const fault = async (
    batchId: number,
    results: string | null,
    reason = 'TypeError',
    gone: readonly { readonly id: number; readonly token: string }[] = [],
  ) => {
    await ledger.source.query('UPDATE batches SET run_at = now() WHERE id = $1', [batchId]);
    const lease = await ledger.claim(batchId);
    if (!lease) throw new Error('not to be had');
    const known = ledger.app.get(Ledger).resultsOf(lease);
    if (results) known.restore(results);
    await ledger.app.get(Ledger).fault(lease, { results: known, dead: gone, pushed: false, reason });
  };

  /** A dead batch of four, of whom one was accepted. */
  const dead = async (results = 'a...') => {
    const alert = await ledger.seed([4]);
    const [batchId] = alert.batchIds as [number];
    for (let faults = 0; faults < FAULTS; faults++) await fault(batchId, results);
    expect(await rowOf(batchId)).toMatchObject({ state: 'dead', reason: 'TypeError', pending: 3, results });
    return { ...alert, batchId };
  };

  const retry = (batchId: number) =>
    ledger.source.transaction((tx) => ledger.app.get(DeadLetters).retry(tx, batchId)).then((told) => told?.outcome);

  const tell = async (alertId: string, kind: 'update' | 'found') =>
    ledger.app.get(Transactions).run(async (unit) => {
      const rows = ledger.app.get(AlertRepository);
      const alert = await rows.lock(unit.tx, alertId);
      if (!alert) throw new Error('no alert');
      if (kind === 'found') await rows.end(unit.tx, alertId);
      const told = { kind, texts: TEXTS, notice: null, authorId: null, passesHold: kind === 'found' } as const;
      await ledger.app.get(Telling).tell(unit, alert, told);
    });

  const golden72 = async (...args: string[]) => {
    const [out, errors]: [string[], string[]] = [[], []];
    const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: ledger.databaseUrl, REDIS_URL: redisUrl() };
    const io = {
      env,
      out: (line: string) => out.push(line),
      error: (line: string) => errors.push(line),
      input: async () => '',
    };
    return { code: await run(io, args), out: out.join('\n'), error: errors.join('\n') };
  };

  it('are batches whose work always throws, after a few tries each later than the one before', async () => {
    const { batchIds } = await ledger.seed([2]);
    const [batchId] = batchIds as [number];
    const waits: number[] = [];
    for (let faults = 1; faults < FAULTS; faults++) {
      await fault(batchId, null);
      const [row] = await ledger.source.query<[{ wait: number }]>(
        'SELECT round(extract(epoch FROM run_at - now()))::int AS wait FROM batches WHERE id = $1',
        [batchId],
      );
      waits.push(row.wait);
    }
    expect(waits).toEqual([1, 4, 16, 64]);
    expect(await rowOf(batchId)).toMatchObject({ state: 'pending', reason: null });
    await fault(batchId, null, '十 phones, +86 138');
    // What is no code is not kept.
    expect(await rowOf(batchId)).toMatchObject({ state: 'dead', reason: 'fault', pending: 2 });
  });

  it('are no batches whose work throws now and then', async () => {
    const { batchIds } = await ledger.seed([2]);
    const [batchId] = batchIds as [number];
    for (let faults = 1; faults < FAULTS; faults++) await fault(batchId, null);
    await ledger.source.query('UPDATE batches SET run_at = now() WHERE id = $1', [batchId]);
    const lease = await ledger.claim(batchId);
    if (!lease) throw new Error('not to be had');
    const results = ledger.app.get(Ledger).resultsOf(lease);
    await ledger.app.get(Ledger).settle(lease, { results, dead: [], pushed: false, tried: true, retryMs: 0 });
    await fault(batchId, null);
    expect(await rowOf(batchId)).toMatchObject({ state: 'pending' });
  });

  it('give up no token less: who is gone is known though the work throws', async () => {
    const { batchIds, phones } = await ledger.seed([2]);
    const [batchId, phone] = [batchIds[0] as number, phones[0] as number];
    const [{ token }] = await ledger.source.query<[{ token: string }]>('SELECT token FROM devices WHERE id = $1', [
      phone,
    ]);
    const gone = () =>
      ledger.source.query<unknown[]>('SELECT 1 FROM devices WHERE id = $1 AND token = $2', [phone, token]);
    expect(await gone()).toHaveLength(1);
    await fault(batchId, 'u.', 'TypeError', [{ id: phone, token }]);
    expect(await gone()).toEqual([]);
  });

  it('are batches whose workers always die before they learn anything', async () => {
    const { batchIds, alertId } = await ledger.seed([2]);
    const [batchId] = batchIds as [number];
    for (let lost = 0; lost < BARREN_LEASES; lost++) {
      expect(await ledger.claim(batchId)).not.toBeNull();
      await ledger.lose(batchId);
    }
    expect(await rowOf(batchId)).toMatchObject({ state: 'dead', reason: 'workers_died', pending: 2 });
    expect(await ledger.claim(batchId)).toBeNull();
    // The wave waits for them.
    await ledger.source.transaction((tx) => ledger.app.get(WaveRepository).settle(tx));
    const [wave] = await ledger.source.query<[{ open: boolean }]>(
      'SELECT settled_at IS NULL AS open FROM waves WHERE alert_id = $1',
      [alertId],
    );
    expect(wave.open).toBe(true);
  });

  it('are told of an update like others, and given up by an ending or a stop', async () => {
    const [ended, stopped] = [await dead(), await dead()];
    await tell(ended.alertId, 'update');
    expect(await rowOf(ended.batchId)).toMatchObject({ state: 'dead', version: 2, results: 'a...' });
    await tell(ended.alertId, 'found');
    expect(await rowOf(ended.batchId)).toMatchObject({ state: 'settled', reason: null, results: 'asss' });
    await ledger.source.transaction(async (tx) => {
      await ledger.app.get(AlertRepository).stop(tx, stopped.alertId, ledger.verifier.id);
      await ledger.app.get(WaveRepository).bringUp(tx, stopped.alertId, null);
    });
    expect(await rowOf(stopped.batchId)).toMatchObject({ state: 'settled', results: 'asss' });
  });

  it('expire with their alert, or with the time of what they were to tell', async () => {
    const { alertId, batchId } = await dead();
    await ledger.source.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [alertId]);
    expect(await retry(batchId)).toBe('too_late');
    await ledger.app.get(Ledger).reclaim();
    expect(await ledger.claim(batchId)).toMatchObject({ overdue: true });
  });

  it('are tried again by hand with the newest message, if the alert still is to be sent', async () => {
    const { alertId, batchId } = await dead();
    const rows = ledger.app.get(AlertRepository);
    await ledger.source.transaction((tx) => rows.hold(tx, alertId, ledger.verifier.id, 'other'));
    expect(await retry(batchId)).toBe('alert_held');
    await tell(alertId, 'update');
    await ledger.source.transaction((tx) => rows.resume(tx, alertId));
    expect(await retry(batchId)).toBe('retried');
    expect(await retry(batchId)).toBe('not_dead');
    expect(await ledger.claim(batchId)).toMatchObject({ version: 2, results: 'a...' });
    expect(await retry(0)).toBeUndefined();
  });

  it('begin anew when they are tried again: what they lost, threw and doubted before counts no more', async () => {
    const { batchId } = await dead('a~..');
    await ledger.source.query('UPDATE batches SET barren = $2 WHERE id = $1', [batchId, BARREN_LEASES - 1]);
    expect(await retry(batchId)).toBe('retried');
    await fault(batchId, null);
    expect(await rowOf(batchId)).toMatchObject({ state: 'pending', results: 'a~..', pending: 3 });
    await ledger.source.query('UPDATE batches SET run_at = now() WHERE id = $1', [batchId]);
    expect(await ledger.claim(batchId)).not.toBeNull();
    await ledger.lose(batchId);
    expect(await rowOf(batchId)).toMatchObject({ state: 'pending' });
  });

  it('can be had at once when they are tried again, and owe from then: their time aside is no gap', async () => {
    const { alertId, batchId } = await dead();
    await shiftLedger(ledger.source, alertId, 60);
    await ledger.source.query(`UPDATE batches SET run_at = now() + interval '1 hour' WHERE id = $1`, [batchId]);
    expect(await retry(batchId)).toBe('retried');
    await ledger.app.get(Gaps).hold();
    expect(await ledger.claim(batchId)).not.toBeNull();
  });

  it('stay aside until somebody has them tried again', async () => {
    const { batchId } = await dead();
    await ledger.app.get(Ledger).reclaim();
    expect(await rowOf(batchId)).toMatchObject({ state: 'dead' });
    expect(await ledger.claim(batchId)).toBeNull();
  });

  /** What has not been told to the batch yet, as if whoever did it had died between two statements. */
  it.each([
    ['stopped', `stopped_at = now()`, 'alert_stopped', { state: 'settled', results: 'asss' }],
    ['ended', `state = 'ended', ended_at = now()`, 'alert_ended', { state: 'dead', results: 'a...' }],
  ])('are never tried again of an alert that is %s', async (_, done, outcome, row) => {
    const { alertId, batchId } = await dead();
    await ledger.source.query(`UPDATE alerts SET ${done} WHERE id = $1`, [alertId]);
    expect(await retry(batchId)).toBe(outcome);
    expect(await rowOf(batchId)).toMatchObject(row);
    expect(await ledger.claim(batchId)).toBeNull();
    expect((await golden72('batches', 'retry', `${batchId}`)).out).not.toContain('retried');
  });

  it('are brought up to a message that they have not been told of, and not sent where it gives them up', async () => {
    const told = async (kind: string) => {
      const { alertId, batchId } = await dead();
      await ledger.source.query(
        `INSERT INTO messages (id, alert_id, version, kind, texts) SELECT gen_random_uuid(), $1, 2, $2, texts FROM messages WHERE alert_id = $1`,
        [alertId, kind],
      );
      return batchId;
    };
    const [updated, ended] = [await told('update'), await told('found')];
    expect(await retry(updated)).toBe('retried');
    expect(await ledger.claim(updated)).toMatchObject({ version: 2, results: 'a...' });
    expect(await retry(ended)).toBe('overtaken');
    expect(await ledger.claim(ended)).toBeNull();
  });

  it('are listed and tried again from the command line, which says why not', async () => {
    await ledger.source.query(`UPDATE alerts SET held_at = now(), held_reason = 'other' WHERE held_at IS NULL`);
    const { alertId, batchId } = await dead();
    const listed = await golden72('batches', 'dead');
    expect(listed.out).toContain(`${batchId}  ${alertId}  3  TypeError  `);
    expect(await golden72('batches', 'retry', `${batchId}`)).toMatchObject({ code: 0, out: `${batchId}  retried` });
    expect((await rowOf(batchId)).state).toBe('pending');
    expect((await golden72('batches', 'retry', '--all')).out).toContain('alert_held');
    expect((await golden72('batches', 'retry')).code).toBe(1);
    expect((await golden72('batches', 'retry', '999999999')).error).toContain('there is no batch 999999999');
    const audited = await ledger.source.query<unknown[]>(
      `SELECT actor, detail FROM audit_entries WHERE action = 'batch.retry' AND thing = $1`,
      [`alert:${alertId}`],
    );
    expect(audited).toEqual([{ actor: 'command_line', detail: { batch: batchId, outcome: 'retried' } }]);
  });
});

describe('a batch whose work throws', () => {
  it('keeps what is known, is set aside and, once mended, sent to everyone once', async () => {
    const city = await TestCity.start();
    try {
      await makeDevices(city.source, scatter(40, SHENZHEN, 500));
      const texts = `UPDATE messages SET texts = $2 WHERE alert_id = $1`;
      await city.source.query(
        `CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.run_at := now() + interval '3 seconds'; RETURN NEW; END $$`,
      );
      await city.source.query(
        'CREATE TRIGGER hold_back BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION hold_back()',
      );
      const { alertId, targeted } = await city.release();
      // Texts that nobody could have submitted.
      await city.source.query(texts, [alertId, { en: null }]);
      const [batch] = await city.source.query<[{ id: number }]>('SELECT id FROM batches WHERE alert_id = $1', [
        alertId,
      ]);
      const row = async () => {
        await city.worker.get(Feeder).feed();
        const [found] = await city.source
          .query<[{ state: string; reason: string | null; faults: number }]>(
            `UPDATE batches SET run_at = least(run_at, now() + interval '10 milliseconds') WHERE id = $1 RETURNING state, dead_reason AS reason, faults`,
            [batch.id],
          )
          .then(([rows]) => rows as unknown as [{ state: string; reason: string | null; faults: number }]);
        return found;
      };
      await until('dead', async () => (await row()).state === 'dead', 60_000);
      expect(await row()).toMatchObject({ reason: 'TypeError', faults: FAULTS });
      expect(city.simulator.alertStats(alertId).accepted).toBe(0);
      await city.source.query(texts, [alertId, TEXTS]);
      await city.source.transaction((tx) => city.worker.get(DeadLetters).retry(tx, batch.id));
      await city.settled(alertId, 30_000);
      expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
    } finally {
      await city.close();
    }
  }, 120_000);
});
