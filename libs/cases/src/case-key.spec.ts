import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CaseKey } from './case-key.ts';
import { openContents, sealContents } from './case-contents.ts';

const WORDS = Buffer.from('测试小明, 6');
const data = randomBytes(32);
const key = new CaseKey('case-1', data);

describe('the key of a case', () => {
  it('opens what it sealed, and seals the same differently each time', () => {
    const [once, again] = [key.seal('tip:1', WORDS), key.seal('tip:1', WORDS)];
    expect(key.open('tip:1', once)).toEqual(WORDS);
    expect(once.equals(again)).toBe(false);
    expect(once.includes(WORDS)).toBe(false);
  });

  it.each([
    ['as another part', (sealed: Buffer) => key.open('tip:2', sealed)],
    ['as a part of another case', (sealed: Buffer) => new CaseKey('case-2', data).open('tip:1', sealed)],
    ['under another key', (sealed: Buffer) => new CaseKey('case-1', randomBytes(32)).open('tip:1', sealed)],
    ['cut short', (sealed: Buffer) => key.open('tip:1', sealed.subarray(0, -1))],
    ['with next to nothing left of it', (sealed: Buffer) => key.open('tip:1', sealed.subarray(0, 3))],
    ['with a bit turned', (sealed: Buffer) => key.open('tip:1', turned(sealed))],
  ])('opens nothing %s', (_how, open) => {
    expect(() => open(key.seal('tip:1', WORDS))).toThrow();
  });

  it('tells by its digest that two values are the same, to nobody with another key', () => {
    expect(key.digest(WORDS)).toEqual(new CaseKey('case-1', data).digest(WORDS));
    expect(key.digest(WORDS)).not.toEqual(key.digest(Buffer.from('x')));
    expect(key.digest(WORDS)).not.toEqual(new CaseKey('case-1', randomBytes(32)).digest(WORDS));
  });
});

function turned(sealed: Buffer): Buffer {
  const copy = Buffer.from(sealed);
  copy.writeUInt8((copy.at(-1) ?? 0) ^ 1, copy.length - 1);
  return copy;
}

describe('the contents of a case', () => {
  it('come back as they were, and take nothing else along', () => {
    const contents = {
      details: { name: '小明', ageYears: 6, sex: null, looks: null, clothes: null, needs: null, circumstances: null },
      lastSeenFrom: new Date('2026-01-02T03:04:05.678Z'),
      lastSeenUntil: null,
      lastSeenPlace: '公园',
      lastSeenPoint: { type: 'Point' as const, coordinates: [114.06, 22.54] },
      consent: { given: 'none' as const, reason: 'nobody answers' },
      custodyOrderChecked: true,
      publicity: 'page_only' as const,
      decisionReason: null,
    };
    const sealed = sealContents(key, Object.assign({ reference: 'G72-0000-0000' }, contents));
    expect(openContents(key, sealed)).toEqual(contents);
  });
});
