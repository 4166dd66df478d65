import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Bearer } from './bearer.ts';

/** A source whose credentials number their tokens, e.g. `Bearer 1.2`: the second token of the first credential. */
function numbered(expiresInS: number) {
  const state = { credentials: 0, tokens: 0, failing: false };
  const source = () => {
    const credential = ++state.credentials;
    return {
      getAccessToken: async () => {
        if (state.failing) throw new Error('secret');
        return { access_token: `${credential}.${++state.tokens}`, expires_in: expiresInS };
      },
    };
  };
  return { state, source };
}

describe('Bearer', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('fetches once for all who ask at once, and keeps the token until a minute before its end', async () => {
    const { source } = numbered(3600);
    const bearer = new Bearer(source, 1000);
    expect(await Promise.all([bearer.authorization(), bearer.authorization()])).toEqual(['Bearer 1.1', 'Bearer 1.1']);
    jest.advanceTimersByTime(3_539_999);
    expect(await bearer.authorization()).toBe('Bearer 1.1');
    jest.advanceTimersByTime(1);
    expect(await bearer.authorization()).toBe('Bearer 1.2');
  });

  it('uses most of the life of a short-lived token', async () => {
    const bearer = new Bearer(numbered(10).source, 1000);
    await bearer.authorization();
    jest.advanceTimersByTime(7999);
    expect(await bearer.authorization()).toBe('Bearer 1.1');
    jest.advanceTimersByTime(1);
    expect(await bearer.authorization()).toBe('Bearer 1.2');
  });

  it('asks a new credential once a token was refused, however many refusals of the old one follow', async () => {
    const { state, source } = numbered(3600);
    const bearer = new Bearer(source, 1000);
    const old = await bearer.authorization();
    bearer.refused(old);
    expect(await bearer.authorization()).toBe('Bearer 2.2');
    bearer.refused(old);
    expect(await bearer.authorization()).toBe('Bearer 2.2');
    expect(state).toMatchObject({ credentials: 2, tokens: 2 });
  });

  it('remembers a failure for a second', async () => {
    const { state, source } = numbered(3600);
    const bearer = new Bearer(source, 1000);
    state.failing = true;
    await expect(bearer.authorization()).rejects.toThrow('secret');
    state.failing = false;
    await expect(bearer.authorization()).rejects.toThrow('a moment ago');
    expect(state.credentials).toBe(1);
    jest.advanceTimersByTime(1000);
    expect(await bearer.authorization()).toBe('Bearer 2.1');
  });

  it('waits no longer than allowed', async () => {
    const bearer = new Bearer(() => ({ getAccessToken: () => new Promise(() => {}) }), 1000);
    const asked = expect(bearer.authorization()).rejects.toThrow('in time');
    await jest.advanceTimersByTimeAsync(1000);
    await asked;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('refuses a token no header can carry', async () => {
    const bearer = new Bearer(() => ({ getAccessToken: async () => ({ access_token: 'a\nb', expires_in: 60 }) }), 1000);
    await expect(bearer.authorization()).rejects.toThrow();
  });
});
