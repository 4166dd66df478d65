import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DeviceSet } from './device-set.ts';

const ids = fc.array(fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 5_000_000_000 })), {
  maxLength: 200,
});

/** As PostgreSQL's array_send writes it. */
function sent(elements: readonly number[]): Buffer {
  const header = [1, 0, 20, elements.length, 1];
  const buffer = Buffer.alloc(20 + elements.length * 12);
  header.forEach((word, i) => buffer.writeInt32BE(word, i * 4));
  elements.forEach((id, i) => {
    buffer.writeInt32BE(8, 20 + i * 12);
    buffer.writeBigInt64BE(BigInt(id), 24 + i * 12);
  });
  return buffer;
}

describe('a set of devices', () => {
  it('has what was added, one by one or as PostgreSQL sends it, and nothing else', () => {
    fc.assert(
      fc.property(ids, ids, ids, (single, array, others) => {
        const set = new DeviceSet();
        for (const id of single) set.add(id);
        set.addSent(sent(array));
        const held = new Set([...single, ...array]);
        for (const id of [...held, ...others]) expect(set.has(id)).toBe(held.has(id));
      }),
    );
  });
});
