import { describe, expect, it } from '@jest/globals';
import { recalled } from './recalled.ts';

describe('recalled', () => {
  it('asks once for a text, and remembers few and short ones', () => {
    const asked: string[] = [];
    const length = recalled((text) => asked.push(text) && text.length, 2);
    expect(['a', 'bb', 'a', 'bb'].map(length)).toEqual([1, 2, 1, 2]);
    expect(asked).toEqual(['a', 'bb']);
    expect(['ccc', 'ccc', 'a'].map(length)).toEqual([3, 3, 1]);
    expect(asked).toEqual(['a', 'bb', 'ccc', 'a']);
    const long = 'x'.repeat(1000);
    expect([length(long), length(long)]).toEqual([1000, 1000]);
    expect(asked.filter((text) => text === long)).toHaveLength(2);
  });
});
