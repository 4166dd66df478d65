import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GroupCommit } from './group-commit.ts';

/** Writes that end when the test says so. */
function gated({ groupWeight = 10, waitingWeight = 1_000, weigh = () => 1 }: Partial<Settings> = {}) {
  const groups: { readonly items: readonly string[]; end: () => void; fail: (error: Error) => void }[] = [];
  const commits = new GroupCommit<string, string>({
    write: (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      groups.push({ items, end: () => resolve(items.map((item) => `${item}!`)), fail: reject });
      return promise;
    },
    weigh,
    groupWeight,
    waitingWeight,
  });
  const turn = () => new Promise((next) => setImmediate(() => setImmediate(next)));
  return { commits, groups, turn };
}

interface Settings {
  readonly groupWeight: number;
  readonly waitingWeight: number;
  readonly weigh: (item: string) => number;
}

describe('a group commit', () => {
  it('writes a lone item at once, and together what comes in one turn', async () => {
    const { commits, groups, turn } = gated();
    const first = [commits.add('a'), commits.add('b')];
    await turn();
    expect(groups.map(({ items }) => items)).toEqual([['a', 'b']]);
    groups[0]?.end();
    expect(await Promise.all(first)).toEqual(['a!', 'b!']);
    const alone = commits.add('c');
    await turn();
    groups[1]?.end();
    expect(await alone).toBe('c!');
  });

  it('gathers while one is under way, and begins a second beside it for a whole group alone', async () => {
    const { commits, groups, turn } = gated({ groupWeight: 3 });
    const all = [commits.add('a')];
    await turn();
    all.push(commits.add('b'), commits.add('c'));
    await turn();
    expect(groups).toHaveLength(1);
    all.push(commits.add('d'), commits.add('e'));
    await turn();
    expect(groups.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
    all.push(commits.add('f'), commits.add('g'));
    await turn();
    expect(groups).toHaveLength(2);
    groups[1]?.end();
    await turn();
    expect(groups[2]?.items).toEqual(['e', 'f', 'g']);
    groups.forEach(({ end }) => end());
    expect(await Promise.all(all)).toHaveLength(7);
  });

  it('refuses what waits beyond its bound, and takes it again once there is room', async () => {
    const { commits, groups, turn } = gated({ groupWeight: 2, waitingWeight: 3 });
    const taken = ['a', 'b', 'c', 'd'].map((item) => commits.add(item).catch((error: unknown) => error));
    await turn();
    expect(await taken[3]).toMatchObject({ code: 'overloaded', members: { retryAfter: expect.any(Number) } });
    groups[0]?.end();
    await turn();
    const later = commits.add('e');
    await turn();
    groups.forEach(({ end }) => end());
    await turn();
    groups.forEach(({ end }) => end());
    expect(await later).toBe('e!');
    expect(groups.flatMap(({ items }) => items)).not.toContain('d');
  });

  it('weighs its items, and takes one that is heavier than a group by itself', async () => {
    const { commits, groups, turn } = gated({ groupWeight: 4, waitingWeight: 20, weigh: (item) => item.length });
    const all = ['aaa', 'bb', 'cccccc', 'd'].map((item) => commits.add(item));
    await commits.add('x'.repeat(20)).catch((error: unknown) => expect(error).toMatchObject({ code: 'overloaded' }));
    for (let round = 0; round < 4; round++) {
      await turn();
      groups.forEach(({ end }) => end());
    }
    await Promise.all(all);
    expect(groups.map(({ items }) => items)).toEqual([['aaa'], ['bb'], ['cccccc'], ['d']]);
    const heavy = commits.add('x'.repeat(21));
    await turn();
    groups.at(-1)?.end();
    expect(await heavy).toBe(`${'x'.repeat(21)}!`);
  });

  it('fails a whole group when the database is away, and tries nothing again', async () => {
    const { commits, groups, turn } = gated();
    const all = [commits.add('a'), commits.add('b')].map((each) => each.catch((error: Error) => error.message));
    await turn();
    groups[0]?.fail(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
    expect(await Promise.all(all)).toEqual(['gone', 'gone']);
    expect(groups).toHaveLength(1);
  });

  it('drains what waits and what is under way', async () => {
    const { commits, groups, turn } = gated({ groupWeight: 1 });
    const all = ['a', 'b', 'c'].map((item) => commits.add(item));
    let drained = false;
    const draining = commits.drain().then(() => (drained = true));
    await turn();
    expect([groups.length, drained]).toEqual([2, false]);
    for (let round = 0; round < 2; round++) {
      groups.forEach(({ end }) => end());
      await turn();
    }
    await draining;
    expect(await Promise.all(all)).toEqual(['a!', 'b!', 'c!']);
    await commits.drain();
  });

  it('answers each item with its own, and fails exactly those at fault', async () => {
    const item = fc.record({ poison: fc.boolean(), turn: fc.nat(3) });
    const property = fc.asyncProperty(
      fc.array(item, { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      async (items, groupWeight) => {
        const stored: number[] = [];
        const commits = new GroupCommit<number, number>({
          write: async (group) => {
            await new Promise(setImmediate);
            if (group.some((n) => items[n]?.poison)) throw new Error('poison');
            stored.push(...group);
            return group.map((n) => n * 2);
          },
          groupWeight,
          waitingWeight: 1_000,
        });
        const answers = await Promise.all(
          items.map(async ({ turn }, n) => {
            for (let i = 0; i < turn; i++) await new Promise(setImmediate);
            return commits.add(n).catch(() => null);
          }),
        );
        expect(answers).toEqual(items.map(({ poison }, n) => (poison ? null : n * 2)));
        expect(stored.toSorted((a, b) => a - b)).toEqual(items.flatMap(({ poison }, n) => (poison ? [] : [n])));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
