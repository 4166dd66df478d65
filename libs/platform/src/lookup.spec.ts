import { describe, expect, it } from '@jest/globals';
import { Lookup } from './lookup.ts';

describe('a lookup', () => {
  it('asks once for all who want to know, and again not before the answer has aged', async () => {
    let asked = 0;
    const lookup = new Lookup(async () => ++asked, fail);
    expect(await Promise.all([lookup.latest(), lookup.latest()])).toEqual([1, 1]);
    expect(await lookup.latest()).toBe(1);
    expect(asked).toBe(1);
  });

  it('gives nothing rather than an old answer, tells of the failure once, and does not ask at once again', async () => {
    const failures: unknown[] = [];
    const gone = new Error('gone');
    const lookup = new Lookup(
      () => Promise.reject(gone),
      (error) => failures.push(error),
    );
    expect(await Promise.all([lookup.latest(), lookup.latest()])).toEqual([null, null]);
    expect(await lookup.latest()).toBeNull();
    expect(failures).toEqual([gone]);
  });
});

function fail(error: unknown): never {
  throw error;
}
