import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import type { Lease } from '../libs/dispatch/src/batch.types.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';

describe('lost leases', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const batches = () => ledger.app.get(BatchRepository);

  const claim = async (batchId: number): Promise<Lease> => {
    const lease = await ledger.claim(batchId);
    if (!lease) throw new Error('not to be had');
    return lease;
  };

  const countsOf = async (batchId: number) => {
    const [row] = await ledger.source.query<[{ lost: number; barren: number }]>(
      'SELECT lost_leases AS lost, barren FROM batches WHERE id = $1',
      [batchId],
    );
    return row;
  };

  it('are counted, and those in a row that brought nothing apart', async () => {
    const { batchIds } = await ledger.seed([4]);
    const [id] = batchIds as [number];
    for (const results of ['~~..', '~~~~', '....']) {
      await batches().checkpoint(await claim(id), results, false);
      await ledger.lose(id);
    }
    expect(await countsOf(id)).toEqual({ lost: 3, barren: 3 });
    // This one came further, and the next did not.
    await batches().checkpoint(await claim(id), 'au~.', true);
    await ledger.lose(id);
    expect(await countsOf(id)).toEqual({ lost: 4, barren: 1 });
    await batches().checkpoint(await claim(id), 'au~~', true);
    await ledger.lose(id);
    expect(await countsOf(id)).toEqual({ lost: 5, barren: 2 });
  });

  it('bring something also where a worker gives its batch back, or its work throws', async () => {
    const { batchIds } = await ledger.seed([4, 4]);
    const [settled, thrown] = batchIds as [number, number];
    for (const id of [settled, thrown]) {
      await claim(id);
      await ledger.lose(id);
    }
    const settlement = { results: 'a...', retryMs: 0, pushed: true, tried: true };
    const [one, other] = [await claim(settled), await claim(thrown)];
    await ledger.source.transaction((tx) => batches().settle(tx, one, settlement));
    await ledger.source.transaction((tx) => batches().fault(tx, other, 'a...', true, 'TypeError'));
    for (const id of [settled, thrown]) expect(await countsOf(id)).toEqual({ lost: 1, barren: 0 });
  });

  it('are none while the worker speaks', async () => {
    const { batchIds } = await ledger.seed([2]);
    const [id] = batchIds as [number];
    await claim(id);
    expect(await ledger.source.transaction((tx) => batches().takeBack(tx, id))).toBeNull();
    expect(await countsOf(id)).toEqual({ lost: 0, barren: 0 });
  });

  it('are none where a worker gives its batch back', async () => {
    const { batchIds } = await ledger.seed([2]);
    const [id] = batchIds as [number];
    const lease = await claim(id);
    const settlement = { results: '..', retryMs: 0, pushed: false, tried: false };
    await ledger.source.transaction((tx) => batches().settle(tx, lease, settlement));
    await ledger.lose(id);
    expect(await countsOf(id)).toEqual({ lost: 0, barren: 0 });
  });
});
