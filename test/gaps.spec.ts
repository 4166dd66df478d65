import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gaps } from '#dispatch';
import { AlertRepository } from '../libs/dispatch/src/alert.repository.ts';
import { GapRepository } from '../libs/dispatch/src/gap.repository.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { shiftLedger } from './harness/shifted.ts';
import { until } from './harness/until.ts';
import { zoneAt } from './harness/zone-at.ts';

describe('a gap', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const look = () => ledger.app.get(Gaps).hold();
  const shift = (alertId: string, minutes: number) => shiftLedger(ledger.source, alertId, minutes);
  const heldReason = async (alertId: string) => {
    const [row] = await ledger.source.query<[{ reason: string | null }]>(
      'SELECT held_reason AS reason FROM alerts WHERE id = $1',
      [alertId],
    );
    return row.reason;
  };
  const settle = (batchId: number, results: string) =>
    ledger.source.query(
      `UPDATE batches SET results = $2, state = CASE WHEN $2 ~ '[.~]' THEN 'pending' ELSE 'settled' END, last_push_at = now() WHERE id = $1`,
      [batchId, results],
    );
  const latest = async (alertId: string) => {
    const message = await ledger.app.get(AlertRepository).latestMessage(alertId);
    if (!message) throw new Error('no message');
    return message;
  };

  it('of a quarter of an hour is held before anything can be claimed, and a shorter one is not', async () => {
    const short = await ledger.seed([2, 2]);
    const long = await ledger.seed([2, 2]);
    await shift(short.alertId, 14);
    await shift(long.alertId, 20);
    // Nobody has looked yet.
    expect(await ledger.claim(long.batchIds[0] as number)).toBeNull();
    expect(await ledger.claim(short.batchIds[0] as number)).not.toBeNull();
    expect(await look()).toBe(1);
    expect(await look()).toBe(0);
    expect([await heldReason(short.alertId), await heldReason(long.alertId)]).toEqual([null, 'gap']);
    expect(await ledger.claim(long.batchIds[0] as number)).toBeNull();
  });

  it('is over when two officers resume the alert, and begins anew then', async () => {
    const { alertId, batchIds } = await ledger.seed([2, 2]);
    await shift(alertId, 60);
    await look();
    await ledger.source.transaction((tx) => ledger.app.get(AlertRepository).resume(tx, alertId));
    expect(await ledger.claim(batchIds[0] as number)).not.toBeNull();
    // Long enough for another look.
    await shift(alertId, 14);
    expect(await look()).toBe(0);
    await shift(alertId, 1);
    expect(await ledger.claim(batchIds[1] as number)).toBeNull();
    expect(await look()).toBe(1);
  });

  it('cannot hide between two looks', async () => {
    const { alertId, batchIds } = await ledger.seed([2]);
    await shift(alertId, 10);
    expect(await look()).toBe(0);
    // Everybody is away for ten minutes more.
    await shift(alertId, 10);
    expect(await ledger.claim(batchIds[0] as number)).toBeNull();
    expect(await look()).toBe(1);
  });

  it('is none while a small quota goes on, however long it takes', async () => {
    const { alertId, batchIds } = await ledger.seed([2, 2]);
    await shift(alertId, 300);
    await settle(batchIds[0] as number, 'aa');
    await shift(alertId, 2);
    expect(await ledger.claim(batchIds[1] as number)).toBeNull();
    expect(await look()).toBe(0);
    expect(await ledger.claim(batchIds[1] as number)).not.toBeNull();
  });

  it('cannot hide behind what is due later', async () => {
    const { alertId, batchIds } = await ledger.seed([2, 2]);
    const [soon, later] = batchIds as [number, number];
    const due = (batchId: number, inMinutes: number) =>
      ledger.source.query('UPDATE batches SET due_at = now() + make_interval(mins => $2) WHERE id = $1', [
        batchId,
        inMinutes,
      ]);
    await due(soon, 80);
    await due(later, 90);
    await shift(alertId, 20);
    expect(await look()).toBe(0);
    // People come, and everybody is away.
    await due(soon, 0);
    await shift(alertId, 20);
    expect(await ledger.claim(soon)).toBeNull();
    expect(await look()).toBe(1);
  });

  it('is none of a hundredth left over, and one of more, wherever they are', async () => {
    const [hundredth, more] = [await ledger.seed([50, 50, 50, 50]), await ledger.seed([50, 50, 50, 50])];
    const settled = (left: number) => 'a'.repeat(50 - left) + '.'.repeat(left);
    for (const [n, left] of [1, 1, 0, 0].entries()) await settle(hundredth.batchIds[n] as number, settled(left));
    for (const [n, left] of [1, 1, 1, 0].entries()) await settle(more.batchIds[n] as number, settled(left));
    for (const { alertId } of [hundredth, more]) await shift(alertId, 60);
    expect(await look()).toBe(1);
    expect([await heldReason(hundredth.alertId), await heldReason(more.alertId)]).toEqual([null, 'gap']);
  });

  it('is looked for again under the lock: a push accepted meanwhile ends it', async () => {
    const { alertId } = await ledger.seed([2, 2]);
    await shift(alertId, 20);
    const push = `
      WITH pushed AS (UPDATE batches SET results = 'aa', state = 'settled', last_push_at = now() WHERE alert_id = $1 AND seq = 0)
      SELECT FROM alerts WHERE id = $1 FOR UPDATE`;
    expect(await contended(ledger.source, push, alertId, 1, look)).toBe(0);
    expect(await heldReason(alertId)).toBeNull();
  });

  it('is none when people come an hour after everybody was asked', async () => {
    const { alertId, batchIds } = await ledger.seed([300]);
    // Two whom the provider alone refuses.
    await settle(batchIds[0] as number, `${'a'.repeat(298)}..`);
    await shift(alertId, 60);
    expect(await look()).toBe(0);
    const { id } = await latest(alertId);
    const area = { kind: 'circle' as const, center: SHENZHEN, radiusM: 1000 };
    const asked = (
      await makeDevices(
        ledger.source,
        Array.from({ length: 20 }, () => SHENZHEN),
      )
    ).map((device) => ({
      ...{ deviceId: device.id, provider: 'fcm', band: 0 },
    }));
    const waveId = await ledger.source.transaction((tx) =>
      ledger.app.get(WaveRepository).addLate(tx, alertId, id, area, asked),
    );
    const [late] = await ledger.source.query<[{ id: number }]>('SELECT id FROM batches WHERE wave_id = $1', [waveId]);
    expect(await look()).toBe(0);
    expect(await ledger.claim(late.id)).not.toBeNull();
    await shift(alertId, 16);
    expect(await look()).toBe(1);
  });

  it.each([
    ['by day', 12, 0, 'gap'],
    ['late in the evening', 23, 0, null],
    ['at night', 2, 0, null],
    ['five minutes after the night', 7, 5, null],
    ['twenty minutes after the night', 7, 20, 'gap'],
  ])('of what asks by day counts by day only: %s', async (_, hour, minute, reason) => {
    const { alertId } = await ledger.seed([2], 'serious');
    await ledger.source.query('UPDATE alerts SET zone = $2 WHERE id = $1', [alertId, zoneAt(hour, minute)]);
    await shift(alertId, 120);
    await look();
    expect(await heldReason(alertId)).toBe(reason);
  });

  it('is none of what is stopped, ended, dead or held already, and never holds an ending', async () => {
    const [stopped, dead, held, ended, over] = [
      await ledger.seed([2]),
      await ledger.seed([2]),
      await ledger.seed([2]),
      await ledger.seed([2]),
      await ledger.seed([2]),
    ];
    const rows = ledger.app.get(AlertRepository);
    await ledger.source.transaction(async (tx) => {
      await rows.stop(tx, stopped.alertId, ledger.verifier.id);
      await ledger.app.get(WaveRepository).bringUp(tx, stopped.alertId, null);
      await rows.hold(tx, held.alertId, ledger.verifier.id, 'other');
      await rows.end(tx, ended.alertId);
      await rows.end(tx, over.alertId);
    });
    await ledger.source.query(`UPDATE waves SET passes_hold = true WHERE alert_id = $1`, [ended.alertId]);
    await ledger.source.query(
      `UPDATE batches SET state = 'dead', dead_reason = 'TypeError', dead_at = now() WHERE alert_id = $1`,
      [dead.alertId],
    );
    const passing = await ledger.seed([2]);
    await ledger.source.query(`UPDATE waves SET passes_hold = true WHERE alert_id = $1`, [passing.alertId]);
    for (const { alertId } of [stopped, dead, held, ended, over, passing]) await shift(alertId, 60);
    // They are not even found, and locked, again and again.
    expect(await ledger.app.get(GapRepository).look()).toEqual([]);
    expect(await heldReason(held.alertId)).toBe('other');
    expect(await ledger.claim(ended.batchIds[0] as number)).not.toBeNull();
  });

  it('once held, of however short a silence, gives nothing to anybody', async () => {
    const { alertId, batchIds } = await ledger.seed([2]);
    const rows = ledger.app.get(AlertRepository);
    await ledger.source.transaction((tx) => rows.hold(tx, alertId, ledger.verifier.id, 'other'));
    expect(await ledger.claim(batchIds[0] as number)).toBeNull();
  });

  it('is looked for in the last minute before there could be one, with one small write', async () => {
    const { alertId, batchIds } = await ledger.seed([2, 2]);
    const written = async () => {
      await look();
      const [row] = await ledger.source.query<[{ xmin: string }]>(
        'SELECT xmin::text FROM gap_watches WHERE alert_id = $1',
        [alertId],
      );
      return row?.xmin ?? null;
    };
    await shift(alertId, 13);
    expect(await written()).toBeNull();
    await shift(alertId, 1);
    const first = await written();
    expect([first === null, await written()]).toEqual([false, first]);
    await settle(batchIds[0] as number, 'aa');
    const second = await written();
    expect(second).not.toBe(first);
    await settle(batchIds[0] as number, 'aa');
    expect(await written()).toBe(second);
  });
});

describe('an outage of twenty minutes', () => {
  it('is followed by a hold and not by pushes; an officer is told, and two resume', async () => {
    const city = await TestCity.start({ down: true });
    try {
      const tools = new LiveAlertTools(city);
      await makeDevices(city.source, scatter(200, SHENZHEN, 1_000));
      const { alertId, targeted } = await city.release();
      await until('the provider was asked in vain', () => city.simulator.stats().requests > 0);
      await shiftLedger(city.source, alertId, 20);
      await until('held', async () => (await tools.row(alertId)).heldReason === 'gap');
      await city.simulator.configure({ down: false });
      await until('no batch is leased', async () => (await tools.leased(alertId)) === 0);
      expect(await tools.reviews(alertId)).toEqual([{ act: 'alert.hold', officer: null }]);
      expect(city.simulator.alertStats(alertId).accepted).toBe(0);
      await tools.change(alertId, { kind: 'resume' });
      await city.settled(alertId, 60_000);
      expect(city.simulator.alertStats(alertId)).toMatchObject({ accepted: targeted, duplicates: 0 });
    } finally {
      await city.close();
    }
  }, 120_000);
});
