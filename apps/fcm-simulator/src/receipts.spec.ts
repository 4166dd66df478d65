import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Receipts, type Receipt } from './receipts.ts';

const received = (id: number): Receipt => ({ ref: `r${id}`, kind: 'received' });

afterEach(() => {
  jest.useRealTimers();
});

describe('Receipts', () => {
  it('keeps requests few and full while the api is slow, and loses none', async () => {
    jest.useFakeTimers();
    const posts: { items: readonly Receipt[]; answer: () => void }[] = [];
    const post = (items: readonly Receipt[]) => new Promise<void>((answer) => posts.push({ items, answer }));
    const receipts = new Receipts(post, () => undefined);
    for (let id = 0; id < 5230; id++) receipts.add(received(id));
    jest.advanceTimersByTime(1000);
    expect(posts).toHaveLength(4);
    expect(receipts.pending).toBe(5230 - 4 * 500 + 4);
    for (let next = 0; next < posts.length; next++) {
      posts[next]?.answer();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(receipts.pending).toBe(0);
    expect(posts.map(({ items }) => items.length)).toEqual([...Array<number>(10).fill(500), 230]);
    expect(posts.flatMap(({ items }) => items)).toEqual(Array.from({ length: 5230 }, (_, id) => received(id)));
  });

  it('drops and says so when the api answers nothing for a million', () => {
    jest.useFakeTimers();
    let dropped = 0;
    const receipts = new Receipts(
      () => new Promise(() => undefined),
      () => dropped++,
    );
    const receipt = received(1);
    for (let i = 0; i < 1_002_010; i++) receipts.add(receipt);
    expect(dropped).toBe(10);
    receipts.close();
  });
});
