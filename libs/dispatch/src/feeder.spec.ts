import { describe, expect, it } from '@jest/globals';
import type { ReadyBatch } from './batch.repository.ts';
import { rankOf } from './batch.service.ts';
import { interleave } from './feeder.ts';

const batch = (waveId: number, batchId: number): ReadyBatch => ({
  waveId,
  batchId,
  epoch: 0,
  band: batchId,
  audience: 'ring',
  delayMs: 0,
});

describe('feeding', () => {
  it('goes round the waves, each in its own order', () => {
    const ready = [batch(1, 10), batch(1, 11), batch(1, 12), batch(2, 20), batch(3, 30), batch(3, 31)];
    expect(interleave(ready).map((one) => one.batchId)).toEqual([10, 20, 30, 11, 31, 12]);
  });

  it('ranks every ending before the nearest band, and nearer bands before farther ones', () => {
    expect(rankOf({ audience: 'notified', band: 59 })).toBeLessThan(rankOf({ audience: 'ring', band: 0 }));
    expect(rankOf({ audience: 'ring', band: 3 })).toBeLessThan(rankOf({ audience: 'ring', band: 4 }));
  });
});
