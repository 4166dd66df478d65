import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchRepository, type Lease } from '../libs/dispatch/src/batch.repository.ts';
import { Ledger } from '../libs/dispatch/src/ledger.service.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';

describe('lost leases', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const batches = () => ledger.app.get(BatchRepository);

  const claim = async (batchId: number): Promise<Lease> => {
    const [{ epoch }] = await ledger.source.query<[{ epoch: number }]>('SELECT epoch FROM batches WHERE id = $1', [
      batchId,
    ]);
    const lease = await ledger.app.get(Ledger).claim(batchId, epoch);
    if (!lease) throw new Error('not to be had');
    return lease;
  };

  /** Dies, and is found out. */
  const lose = async (batchId: number) => {
    await ledger.source.query(
      `UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1 AND state = 'leased'`,
      [batchId],
    );
    await ledger.app.get(Ledger).reclaim();
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
      await lose(id);
    }
    expect(await countsOf(id)).toEqual({ lost: 3, barren: 3 });
    // This one came further, and the next did not.
    await batches().checkpoint(await claim(id), 'au~.', true);
    await lose(id);
    expect(await countsOf(id)).toEqual({ lost: 4, barren: 1 });
    await batches().checkpoint(await claim(id), 'au~~', true);
    await lose(id);
    expect(await countsOf(id)).toEqual({ lost: 5, barren: 2 });
  });

  it('are none where a worker gives its batch back', async () => {
    const { batchIds } = await ledger.seed([2]);
    const [id] = batchIds as [number];
    const lease = await claim(id);
    const settlement = { results: '..', retryMs: 0, pushed: false, tried: false };
    await ledger.source.transaction((tx) => batches().settle(tx, lease, settlement));
    await lose(id);
    expect(await countsOf(id)).toEqual({ lost: 0, barren: 0 });
  });
});
