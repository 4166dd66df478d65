import { describe, expect, it } from '@jest/globals';
import { Blur, blurredSum } from './blur.ts';
import { Keys } from './keys.ts';

const blur = new Blur(new Keys({ SECRET_KEY: Buffer.alloc(32, 'one').toString('base64') }));
const other = new Blur(new Keys({ SECRET_KEY: Buffer.alloc(32, 'two').toString('base64') }));
const things = Array.from({ length: 2000 }, (_, n) => `thing ${n}`);

describe('a blurred count', () => {
  it('is none below ten', () => {
    for (let count = 0; count < 10; count++) expect(blur.count('x', count)).toBeNull();
    for (const thing of things) expect(blur.count(thing, 10)).toBe(10);
  });

  it('has two digits at most and is no finer than tens', () => {
    for (const thing of things.slice(0, 100)) {
      expect((blur.count(thing, 87) ?? 0) % 10).toBe(0);
      expect((blur.count(thing, 876) ?? 0) % 10).toBe(0);
      expect((blur.count(thing, 8_765) ?? 0) % 100).toBe(0);
      expect((blur.count(thing, 876_543) ?? 0) % 10_000).toBe(0);
    }
  });

  it('is told alike every time, and not to be foretold without the key', () => {
    expect(things.map((thing) => blur.count(thing, 15))).toEqual(things.map((thing) => blur.count(thing, 15)));
    expect(things.map((thing) => blur.count(thing, 15))).not.toEqual(things.map((thing) => other.count(thing, 15)));
  });

  it('shows one more in a tenth of all things only, whatever the count is', () => {
    for (const count of [10, 14, 19, 99, 104, 999]) {
      const shown = things.filter((thing) => blur.count(thing, count) !== blur.count(thing, count + 1));
      expect(shown.length / things.length).toBeLessThan(0.13);
    }
  });

  it('is right on average', () => {
    for (const count of [3, 15, 47]) {
      const sum = things.reduce((total, thing) => total + blur.part(thing, count), 0);
      expect(Math.abs(sum / things.length - count)).toBeLessThan(0.5);
    }
    expect(things.every((thing) => blur.part(thing, 0) === 0)).toBe(true);
  });

  it('of parts has two digits, and is none below ten', () => {
    expect([0, 9.9, 10, 104, 1049, 912_707].map(blurredSum)).toEqual([null, null, 10, 100, 1000, 910_000]);
  });
});
