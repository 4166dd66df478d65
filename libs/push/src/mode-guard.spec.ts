import { describe, expect, it } from '@jest/globals';
import { refusalOf } from './mode-guard.ts';
import type { Mode } from './push-gateway.ts';

const REAL = 'cJ3kq9XhQ0mS1vT5wZ7yBd:APA91bF0000000000000000000000000000000';
const SIMULATED = 'sim:1';

describe('refusalOf', () => {
  it('lets real alerts to real tokens at a real provider, and to any token elsewhere', () => {
    expect(refusalOf('real', true, REAL)).toBeNull();
    expect(refusalOf('real', false, REAL)).toBeNull();
    expect(refusalOf('real', false, SIMULATED)).toBeNull();
  });

  it.each<Mode>(['demo', 'exercise'])('keeps a %s away from real tokens and real providers', (mode) => {
    expect(refusalOf(mode, false, SIMULATED)).toBeNull();
    expect(refusalOf(mode, false, REAL)).toBe('REAL_TOKEN_OUTSIDE_REAL_MODE');
    expect(refusalOf(mode, true, SIMULATED)).toBe('REAL_PROVIDER_OUTSIDE_REAL_MODE');
    expect(refusalOf(mode, true, REAL)).toBe('REAL_PROVIDER_OUTSIDE_REAL_MODE');
  });

  it('keeps simulated tokens away from a real provider', () => {
    expect(refusalOf('real', true, SIMULATED)).toBe('SIMULATED_TOKEN_TO_REAL_PROVIDER');
  });

  it.each(['', 'sim', 'SIM:1', ' sim:1', 'x sim:1'])('takes the token "%s" for a real one', (token) => {
    expect(refusalOf('demo', false, token)).toBe('REAL_TOKEN_OUTSIDE_REAL_MODE');
  });
});
