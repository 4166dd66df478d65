import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PairTable } from './pair-table.ts';

const word = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 0xffffffff }));

describe('PairTable', () => {
  it('numbers pairs as a map would', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { maxLength: 3000 }), (pairs) => {
        const table = new PairTable();
        const model = new Map<string, number>();
        for (const [a, b] of pairs) {
          const key = `${a},${b}`;
          expect(table.find(a, b)).toBe(model.get(key) ?? -1);
          if (!model.has(key)) model.set(key, model.size);
          expect(table.add(a, b)).toBe(model.get(key));
        }
        expect(table.size).toBe(model.size);
        for (const [key, id] of model) expect(`${table.first(id)},${table.second(id)}`).toBe(key);
      }),
      { numRuns: 30 },
    );
  });

  it('tells apart pairs that share a word', () => {
    const table = new PairTable();
    const ids = Array.from({ length: 5000 }, (_, i) => [table.add(i, 7), table.add(8, 10_000 + i)]).flat();
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  });

  it('keeps its numbers while growing', () => {
    const table = new PairTable();
    for (let i = 0; i < 20_000; i++) table.add(i, -i);
    expect(Array.from({ length: 20_000 }, (_, i) => i).filter((i) => table.find(i, -i) !== i)).toEqual([]);
  });
});
