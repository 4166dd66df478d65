import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RefStore } from './ref-store.ts';

describe('RefStore', () => {
  it('gives back the last text kept under each number', () => {
    const writes = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.string({ unit: 'grapheme', maxLength: 60 })),
    );
    fc.assert(
      fc.property(writes, (pairs) => {
        const store = new RefStore();
        const model = new Map<number, string>();
        for (const [id, text] of pairs) {
          store.set(id, text);
          model.set(id, text);
        }
        for (const [id, text] of model) expect(store.get(id)).toBe(text);
        expect(store.get(5000)).toBe('');
      }),
    );
  });

  it('holds more than one chunk, and no endless text', () => {
    const store = new RefStore();
    const text = (id: number) => `${id}`.padEnd(64, 'r');
    for (let id = 0; id < 40_000; id++) store.set(id, text(id));
    expect(Array.from({ length: 40_000 }, (_, id) => id).filter((id) => store.get(id) !== text(id))).toEqual([]);
    store.set(7, 'x'.repeat(513));
    expect(store.get(7)).toBe('');
    expect(store.get(8)).toBe(text(8));
  });
});
