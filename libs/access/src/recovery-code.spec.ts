import { expect, it } from '@jest/globals';
import { hashRecoveryCode, newRecoveryCode } from './recovery-code.ts';

it('is 24 letters that nobody mistakes, never twice the same', () => {
  const codes = Array.from({ length: 200 }, newRecoveryCode);
  for (const code of codes) expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(new Set(codes).size).toBe(codes.length);
});

it('is known however it is typed, and nothing else is', () => {
  const code = '01AB-CDEF-GHJK-MNPQ-RSTV-WXYZ';
  const kept = hashRecoveryCode(code);
  for (const typed of [code.toLowerCase(), code.replaceAll('-', ' '), 'OLab cdefghjkmnpqrstvwxyz', ` ${code}`]) {
    expect(hashRecoveryCode(typed)).toEqual(kept);
  }
  expect(hashRecoveryCode(code.replace('Z', 'Y'))).not.toEqual(kept);
  for (const typed of ['', '123456', code.slice(1), `${code}0`]) expect(hashRecoveryCode(typed)).toBeNull();
});
