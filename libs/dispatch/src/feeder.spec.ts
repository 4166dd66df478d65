import { describe, expect, it } from '@jest/globals';
import type { ReadyBatch } from './batch.repository.ts';
import { inTurns } from './feeder.ts';

const batch = (flow: string, batchId: number): ReadyBatch => ({ flow, batchId, epoch: 0, delayMs: 0 });

describe('feeding', () => {
  it('goes round the flows, each in its own order', () => {
    const ready = [batch('a', 10), batch('a', 11), batch('a', 12), batch('b', 20), batch('c', 30), batch('c', 31)];
    const turns = inTurns(ready);
    expect(turns.map((one) => one.batchId)).toEqual([10, 20, 30, 11, 31, 12]);
    expect(turns.map((one) => one.turn)).toEqual([0, 0, 0, 1, 1, 2]);
  });
});
