import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonBytes, shorten } from './shorten.ts';

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom('孩', '🇨🇳', '👨‍👩‍👧', 'é', 'ก็', '"', '\n', ' '), fc.string({ unit: 'binary' })),
});

describe('shorten', () => {
  it('leaves alone what fits', () => {
    expect(shorten('寻找走失儿童', 18)).toBe('寻找走失儿童');
  });

  it('cuts with an ellipsis what is one byte too long', () => {
    expect(shorten('寻找走失儿童', 17)).toBe('寻找走失…');
  });

  it('never cuts inside a family, a flag or an accented letter', () => {
    expect(shorten('a👨‍👩‍👧b', 10)).toBe('a…');
    expect(shorten('🇨🇳🇨🇳', 11)).toBe('🇨🇳…');
    expect(shorten('e\u0301e\u0301', 5)).toBe('…');
  });

  it('counts what JSON escapes', () => {
    expect(jsonBytes('"\n\u0001')).toBe(2 + 2 + 6);
    expect(shorten('""""', 7)).toBe('""…');
  });

  it('says null where not even the ellipsis fits', () => {
    expect(shorten('abc', 2)).toBeNull();
    expect(shorten('', 0)).toBe('');
  });

  it('keeps within any room and keeps a beginning of any text', () => {
    fc.assert(
      fc.property(anyText, fc.nat(200), (raw, room) => {
        const text = raw.toWellFormed();
        const short = shorten(text, room);
        if (short === null) return room < 3;
        const kept = short.endsWith('…') && short !== text ? short.slice(0, -1) : short;
        return jsonBytes(short) <= room && text.startsWith(kept) && short.isWellFormed();
      }),
    );
  });
});
