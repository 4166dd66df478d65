import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PushOutcome } from '#push';
import { RESULT, Results } from './results.ts';

const outcome = fc.constantFrom<PushOutcome['outcome']>('accepted', 'unregistered', 'rejected', 'retry', 'unknown');

describe('results', () => {
  it('begin as pending for everyone', () => {
    expect(new Results(null, 3).toString()).toBe('...');
    expect(new Results(null, 3).pending()).toEqual([0, 1, 2]);
  });

  it('keep one terminal result for each, whatever happened before they are given up', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(19), outcome)),
        fc.constantFrom('stopped' as const, 'expired' as const),
        (events, why) => {
          const results = new Results(null, 20);
          for (const [index, what] of events) results.record(index, what);
          results.giveUp(why);
          expect(results.pending()).toEqual([]);
          expect(results.toString()).toMatch(/^[aurseke]{20}$/);
        },
      ),
    );
  });

  it('tell who may have been asked from who was not, when they are given up', () => {
    const results = new Results(null, 3);
    results.begin([0, 1]);
    results.record(0, 'retry');
    results.giveUp('stopped');
    expect(results.toString()).toBe(RESULT.stopped + RESULT.unknown + RESULT.stopped);
  });

  it('take back what was begun but not sent', () => {
    const results = new Results('a.~', 3);
    const before = results.toString();
    results.begin([1, 2]);
    results.restore(before);
    expect(results.toString()).toBe('a.~');
  });
});
