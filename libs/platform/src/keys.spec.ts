import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Keys } from './keys.ts';

const newKey = () => randomBytes(32).toString('base64');

describe('a change of keys', () => {
  const [old, current, foreign] = [newKey(), newKey(), newKey()];
  const before = new Keys({ SECRET_KEY: old });
  const during = new Keys({ SECRET_KEY: current, SECRET_KEY_PREVIOUS: old });
  const after = new Keys({ SECRET_KEY: current });

  it('goes on taking what the previous key made, until that is left out', () => {
    const link = before.mac('forward-link', 'thing', 12);
    expect(during.verify('forward-link', 'thing', link)).toBe(true);
    expect(after.verify('forward-link', 'thing', link)).toBe(false);
    const sealed = before.seal('second-factor', Buffer.from('words'), 'officer:1');
    expect(during.open('second-factor', sealed, 'officer:1').toString()).toBe('words');
    expect(() => after.open('second-factor', sealed, 'officer:1')).toThrow();
  });

  it('makes everything with the new key', () => {
    expect(after.verify('forward-link', 'thing', during.mac('forward-link', 'thing'))).toBe(true);
    expect(before.verify('forward-link', 'thing', during.mac('forward-link', 'thing'))).toBe(false);
    const sealed = during.seal('case-key', Buffer.from('words'), 'case:1');
    expect(after.open('case-key', sealed, 'case:1').toString()).toBe('words');
  });

  it('takes nothing of a third key, of another purpose, or of no length', () => {
    const made = new Keys({ SECRET_KEY: foreign }).mac('forward-link', 'thing');
    expect(during.verify('forward-link', 'thing', made)).toBe(false);
    expect(during.verify('rate-limit', 'thing', before.mac('forward-link', 'thing'))).toBe(false);
    expect(during.verify('forward-link', 'thing', Buffer.alloc(0))).toBe(false);
    expect(during.verify('forward-link', 'thing', Buffer.alloc(33))).toBe(false);
  });
});

describe('a seal', () => {
  const keys = new Keys({ SECRET_KEY: newKey() });
  const sealed = keys.seal('second-factor', Buffer.from('words'), 'officer:1');

  it('opens beside its words, for its purpose and unchanged, and else not at all', () => {
    expect(keys.open('second-factor', sealed, 'officer:1').toString()).toBe('words');
    expect(() => keys.open('second-factor', sealed, 'officer:2')).toThrow();
    expect(() => keys.open('case-key', sealed, 'officer:1')).toThrow();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => keys.open('second-factor', changed, 'officer:1')).toThrow();
      expect(() => keys.open('second-factor', sealed.subarray(0, at), 'officer:1')).toThrow();
    }
  });

  it('never looks the same twice, and shows nothing of what it holds', () => {
    expect(keys.seal('second-factor', Buffer.from('words'), 'officer:1')).not.toEqual(sealed);
    expect(sealed.includes('words')).toBe(false);
  });
});
