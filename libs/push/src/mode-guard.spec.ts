import { describe, expect, it } from '@jest/globals';
import { guardMode } from './mode-guard.ts';
import { PushRefused } from './push.errors.ts';
import type { Mode, PushMessage } from './push-gateway.ts';

const REAL = 'cJ3kq9XhQ0mS1vT5wZ7yBd:APA91bF0000000000000000000000000000000';
const to = (...tokens: string[]): PushMessage[] =>
  tokens.map((token) => ({
    token,
    platform: 'android',
    kind: 'alert',
    alertId: 'a',
    slug: 's',
    version: 1,
    ref: 'r',
    title: 't',
    body: 'b',
    area: '{}',
    band: 0,
    sound: 'silent',
    link: 'https://example.org/a/s',
    photo: null,
    expiresAt: new Date(0),
  }));

function refusal(mode: Mode, providerIsReal: boolean, messages: PushMessage[]): string | undefined {
  try {
    guardMode(mode, providerIsReal, messages);
    return undefined;
  } catch (error) {
    if (error instanceof PushRefused) return error.code;
    throw error;
  }
}

describe('guardMode', () => {
  it('lets real alerts to real tokens at a real provider, and to any token elsewhere', () => {
    expect(refusal('real', true, to(REAL))).toBeUndefined();
    expect(refusal('real', false, to(REAL, 'sim:1'))).toBeUndefined();
  });

  it.each<Mode>(['demo', 'exercise'])('keeps a %s away from real tokens and real providers', (mode) => {
    expect(refusal(mode, false, to('sim:1', 'sim:2'))).toBeUndefined();
    expect(refusal(mode, false, to('sim:1', REAL))).toBe('REAL_TOKEN_OUTSIDE_REAL_MODE');
    expect(refusal(mode, true, to('sim:1'))).toBe('REAL_PROVIDER_OUTSIDE_REAL_MODE');
    expect(refusal(mode, true, [])).toBe('REAL_PROVIDER_OUTSIDE_REAL_MODE');
  });

  it('keeps simulated tokens away from a real provider', () => {
    expect(refusal('real', true, to(REAL, 'sim:1'))).toBe('SIMULATED_TOKEN_TO_REAL_PROVIDER');
  });

  it('names no token in its message', () => {
    expect(() => guardMode('demo', false, to(REAL))).toThrow(/^REAL_TOKEN_OUTSIDE_REAL_MODE \(mode demo\)$/);
  });
});
