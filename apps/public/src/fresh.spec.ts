import { describe, expect, it } from '@jest/globals';
import { Fresh } from './fresh.ts';

/** A cache on a clock that the test turns, over a source that counts its loads and can be broken. */
function rig(maxEntries = 10) {
  const world = { now: 0, loads: 0, down: false };
  const fresh = new Fresh<number>({ maxAgeMs: 1000, maxStaleMs: 20_000, maxEntries }, () => world.now);
  const load = async () => {
    world.loads += 1;
    if (world.down) throw new Error('down');
    return world.loads;
  };
  return { world, fresh, get: (key = 'a') => fresh.get(key, load) };
}

describe('Fresh', () => {
  it('loads once for a herd, and again when the value is a second old', async () => {
    const { world, get } = rig();
    expect(await Promise.all(Array.from({ length: 1000 }, () => get()))).toEqual(Array<number>(1000).fill(1));
    world.now = 999;
    expect(await get()).toBe(1);
    world.now = 1000;
    expect(await get()).toBe(2);
    expect(world.loads).toBe(2);
  });

  it('gives the last good value while loading fails, for as long as it may', async () => {
    const { world, get } = rig();
    await get();
    world.down = true;
    for (world.now = 1000; world.now < 20_000; world.now += 1000) expect(await get()).toBe(1);
    await expect(get()).rejects.toThrow('down');
  });

  it('asks again after a failure, once the second is over', async () => {
    const { world, get } = rig();
    world.down = true;
    await expect(get()).rejects.toThrow('down');
    world.down = false;
    world.now = 1000;
    expect(await get()).toBe(2);
  });

  it('asks again for what it is told to forget', async () => {
    const { fresh, get } = rig();
    await get();
    fresh.forget('a');
    expect(await get()).toBe(2);
  });

  it('keeps nothing that nobody has asked for since it was too old to stand in', async () => {
    const { world, fresh, get } = rig();
    await get('an ended alert');
    world.now = 20_999;
    await get('another');
    expect(fresh.has('an ended alert')).toBe(true);
    world.now = 21_000;
    await get('another');
    expect(fresh.has('an ended alert')).toBe(false);
    expect(fresh.has('another')).toBe(true);
  });

  it('forgets the key that was asked for the longest ago', async () => {
    const { world, get } = rig(2);
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    await get('a');
    expect(world.loads).toBe(3);
    await get('b');
    expect(world.loads).toBe(4);
  });

  it('gives at once what is loaded and fresh, and nothing else', async () => {
    const { world, fresh, get } = rig();
    expect([fresh.has('a'), fresh.ready('a')]).toEqual([false, undefined]);
    const loading = get();
    expect([fresh.has('a'), fresh.ready('a')]).toEqual([true, undefined]);
    await loading;
    world.now = 999;
    expect(fresh.ready('a')).toBe(1);
    world.now = 1000;
    expect(fresh.ready('a')).toBeUndefined();
    world.down = true;
    expect(await get()).toBe(1);
    expect(fresh.ready('a')).toBeUndefined();
  });

  it('takes a value that came by another way, and shows a load the last one', async () => {
    const { world, fresh } = rig();
    fresh.put('a', 7);
    expect([fresh.ready('a'), world.loads]).toEqual([7, 0]);
    world.now = 1000;
    expect(await fresh.get('a', async (last) => (last ?? 0) + 1)).toBe(8);
  });
});
