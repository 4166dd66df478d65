import { describe, expect, it } from '@jest/globals';
import { saysSecondFactor } from './oidc-assurance.ts';

describe('a provider that says a second factor was shown', () => {
  it.each([
    [{ amr: ['pwd', 'mfa'] }, true],
    [{ amr: ['pwd', 'otp'] }, true],
    [{ amr: ['hwk'] }, true],
    [{ acr: 'phr' }, true],
    [{ acr: 'https://refeds.org/profile/mfa' }, true],
    [{ amr: ['pwd'] }, false],
    [{ amr: ['pwd', 'sms'] }, false],
    [{ amr: 'mfa' }, false],
    [{ amr: [['mfa']] }, false],
    [{ acr: '1' }, false],
    [{}, false],
  ])('%j: %s', (claims, said) => {
    expect(saysSecondFactor(claims)).toBe(said);
  });
});
