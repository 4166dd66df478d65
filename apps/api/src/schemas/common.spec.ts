import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { text, uuid } from './common.ts';

const MAX = 40;
const INVISIBLE = [
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u3164',
  '\u2800',
  '\u180e',
  '\u3000',
  ' ',
  '\n',
];
const BIDI = ['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'];
const VISIBLE = ['a', '孩', 'é', 'ع', '🦉', '👨‍👩‍👧', '!', '1', '한'];

const of = (parts: readonly string[], minLength = 0) =>
  fc.array(fc.constantFrom(...parts), { minLength, maxLength: 6 }).map((each) => each.join(''));
const any = fc.string({ unit: 'binary', maxLength: 60 });

describe('text', () => {
  it('refuses what nobody can see', () => {
    fc.assert(fc.property(of([...INVISIBLE, ...BIDI]), (value) => !text(MAX).safeParse(value).success));
  });

  it('takes whatever holds something to see, without what turns text round', () => {
    const written = fc.tuple(of([...INVISIBLE, ...BIDI, ...VISIBLE]), fc.constantFrom(...VISIBLE), of(BIDI));
    fc.assert(
      fc.property(written, (parts) => {
        const given = parts.join('');
        const plain = BIDI.reduce((left, control) => left.replaceAll(control, ''), given);
        expect(text(100).parse(given)).toBe(plain.normalize('NFC').trim());
      }),
    );
  });

  it('gives only what it would take again, unchanged', () => {
    fc.assert(
      fc.property(any, (value) => {
        const { success, data } = text(MAX).safeParse(value);
        if (!success) return;
        expect(data.length).toBeLessThanOrEqual(MAX);
        expect(data).not.toMatch(/[\0\u202a-\u202e\u2066-\u2069]/);
        expect(text(MAX).parse(data)).toBe(data);
      }),
    );
  });
});

describe('uuid', () => {
  it('has one form, whichever it was written in: what is sealed, cached or limited under it has one name', () => {
    fc.assert(fc.property(fc.uuid(), (id) => uuid.parse(id.toUpperCase()) === id && uuid.parse(id) === id));
  });
});
