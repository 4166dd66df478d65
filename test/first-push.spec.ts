import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AlertRepository } from '../libs/dispatch/src/alert.repository.ts';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import type { Settlement } from '../libs/dispatch/src/batch.types.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { shiftLedger } from './harness/shifted.ts';
import { zoneAt } from './harness/zone-at.ts';

const UNSENT: Settlement = { results: '..', retryMs: 0, pushed: false, tried: false };

describe('for how long the first push of a wave is owed', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const shift = (alertId: string, minutes: number) => shiftLedger(ledger.source, alertId, minutes);
  const alerts = () => ledger.app.get(AlertRepository);

  /** Claims a batch. @returns the lease, and the minutes for which it owes its wave's first push */
  const claim = async (batchId: number | undefined) => {
    const lease = await ledger.claim(batchId as number);
    if (!lease) throw new Error('not to be had');
    return { lease, minutes: lease.firstDueMs === null ? null : Math.round(lease.firstDueMs / 60_000) };
  };

  /** A turn at the batch that ends so. @returns the minutes, as the turn knew them */
  const turn = async (batchId: number | undefined, settlement: Settlement) => {
    const { lease, minutes } = await claim(batchId);
    await ledger.source.transaction((tx) => ledger.app.get(BatchRepository).settle(tx, lease, settlement));
    return minutes;
  };

  it('counts from when it was due, whatever came of tries, until one is accepted', async () => {
    const { alertId, batchIds } = await ledger.seed([2, 2]);
    const [first, second] = batchIds;
    await shift(alertId, 3);
    expect(await turn(first, UNSENT)).toBe(3);
    await shift(alertId, 2);
    // The provider refused both.
    expect(await turn(first, { ...UNSENT, tried: true })).toBe(5);
    await shift(alertId, 2);
    expect(await turn(first, { ...UNSENT, results: 'a.', tried: true, pushed: true })).toBe(7);
    expect(await turn(first, UNSENT)).toBeNull();
    expect(await turn(second, UNSENT)).toBeNull();
  });

  it('does not count a hold, but for what passes it', async () => {
    const [alert, passing] = [await ledger.seed([2]), await ledger.seed([2])];
    await ledger.source.query('UPDATE waves SET passes_hold = true WHERE alert_id = $1', [passing.alertId]);
    for (const { alertId } of [alert, passing]) {
      await shift(alertId, 4);
      await ledger.source.transaction((tx) => alerts().hold(tx, alertId, ledger.verifier.id, 'other'));
      await shift(alertId, 60);
      await ledger.source.transaction((tx) => alerts().resume(tx, alertId));
      await shift(alertId, 2);
    }
    expect((await claim(alert.batchIds[0])).minutes).toBe(2);
    expect((await claim(passing.batchIds[0])).minutes).toBe(66);
  });

  it('does not count the night of what asks by day', async () => {
    const [serious, critical] = [await ledger.seed([2], 'serious'), await ledger.seed([2])];
    for (const { alertId } of [serious, critical]) {
      await ledger.source.query('UPDATE alerts SET zone = $2 WHERE id = $1', [alertId, zoneAt(7, 5)]);
      await shift(alertId, 10);
    }
    expect((await claim(serious.batchIds[0])).minutes).toBe(5);
    expect((await claim(critical.batchIds[0])).minutes).toBe(10);
  });
});
