import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { outlast } from './outlast.ts';

const failed = (code: string) => new QueryFailedError('UPDATE', [], Object.assign(new Error('no'), { code }));

/** Fails so often, then succeeds. */
function work(error: Error, times: number) {
  let tries = 0;
  return {
    tries: () => tries,
    run: () => (++tries <= times ? Promise.reject(error) : Promise.resolve('done')),
  };
}

describe('outlasting a server that is away', () => {
  it.each(['08006', '53100', '53300', '57P01', '40001', '40P01'])('tries again after SQLSTATE %s', async (code) => {
    const { run, tries } = work(failed(code), 1);
    expect(await outlast(10_000, run)).toBe('done');
    expect(tries()).toBe(2);
  });

  it('tries again and again', async () => {
    const { run, tries } = work(failed('08006'), 3);
    expect(await outlast(10_000, run)).toBe('done');
    expect(tries()).toBe(4);
  });

  it.each(['23505', '42P01', '22003'])('does not after SQLSTATE %s', async (code) => {
    const { run, tries } = work(failed(code), 1);
    await expect(outlast(10_000, run)).rejects.toMatchObject({ driverError: { code } });
    expect(tries()).toBe(1);
  });

  it('gives up in time, with the last error', async () => {
    const { run, tries } = work(failed('57P03'), Infinity);
    await expect(outlast(400, run)).rejects.toMatchObject({ driverError: { code: '57P03' } });
    expect(tries()).toBeGreaterThan(1);
  });
});
