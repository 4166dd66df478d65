import { describe, expect, it } from '@jest/globals';
import { Coalesced } from './coalesced.ts';

describe('coalesced work', () => {
  it('merges calls while it runs into one more round', async () => {
    let rounds = 0;
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const coalesced = new Coalesced(() => gates[rounds++]?.promise ?? Promise.resolve());
    const first = coalesced.run();
    const others = [coalesced.run(), coalesced.run(), coalesced.run()];
    gates.forEach((gate) => gate.resolve());
    await Promise.all([first, ...others]);
    expect(rounds).toBe(2);
  });

  it('runs again after a failure', async () => {
    let rounds = 0;
    const coalesced = new Coalesced(async () => {
      if (++rounds === 1) throw new Error('once');
    });
    await expect(coalesced.run()).rejects.toThrow('once');
    await coalesced.run();
    expect(rounds).toBe(2);
  });
});
