import { describe, expect, it } from '@jest/globals';
import { type PasswordFault, passwordFault } from './password-rules.ts';

const CONTEXT = ['lin.chen', 'Lin Chen', '深圳市公安局'];

describe('a password', () => {
  it.each<[string, PasswordFault]>([
    ['fourteen chars', 'too_short'],
    ['', 'too_short'],
    ['x'.repeat(257), 'too_long'],
    ['passwordpassword', 'guessable'],
    ['password1password2', 'leaked'],
    ['password123456789', 'leaked'],
    ['p@ssw0rdp@ssw0rd1', 'guessable'],
    ['qwertyuiopasdfgh', 'leaked'],
    ['aaaaaaaaaaaaaaaa', 'guessable'],
    ['abcdefghij0123456789', 'guessable'],
    ['🦉'.repeat(20), 'guessable'],
    ['golden72-golden72', 'names_you'],
    ['lin.chen2026lin.chen', 'names_you'],
    ['深圳市公安局深圳市公安局深圳市公安局', 'guessable'],
  ])('%j is refused as %s', async (password, fault) => {
    expect(await passwordFault(password, CONTEXT)).toBe(fault);
  });

  it.each([
    'correct horse battery staple',
    'my daughter likes night trains',
    '我的女儿喜欢坐火车去海边看星星',
    'v7Qm2xT9LwZr4kB',
    // Composed of one kind of character, and long: no rule on composition.
    'turquoise lantern gravel otter',
    'x8$'.repeat(3) + ' an unlikely sentence about Lin Chen',
  ])('%j will do', async (password) => {
    expect(await passwordFault(password, CONTEXT)).toBeNull();
  });

  it('is judged quickly, however long and twisted', async () => {
    for (const password of ['p@55w0rd'.repeat(32), '4@3$1!|0'.repeat(32), '12345678901234567890'.repeat(12)]) {
      expect(await passwordFault(password, CONTEXT)).not.toBeNull();
    }
  });
});
