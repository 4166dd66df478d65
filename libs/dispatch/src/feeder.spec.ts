import { describe, expect, it } from '@jest/globals';
import type { ReadyBatch } from './batch.repository.ts';
import { inTurns } from './feeder.ts';

const batch = (waveId: number, batchId: number): ReadyBatch => ({ waveId, batchId, epoch: 0, delayMs: 0 });

describe('feeding', () => {
  it('goes round the waves, each in its own order', () => {
    const ready = [batch(1, 10), batch(1, 11), batch(1, 12), batch(2, 20), batch(3, 30), batch(3, 31)];
    const turns = inTurns(ready);
    expect(turns.map((one) => one.batchId)).toEqual([10, 20, 30, 11, 31, 12]);
    expect(turns.map((one) => one.turn)).toEqual([0, 0, 0, 1, 1, 2]);
  });
});
