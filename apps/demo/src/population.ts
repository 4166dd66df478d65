import type { ImportedDevice } from '#audience';
import { Towns } from './towns.ts';

/** The mulberry32 generator: small, seedable and good enough to scatter phones the same way every night. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What share of phones is what: rough figures of the Chinese market, and people who want to be left alone. */
const SHARE = { ios: 0.2, english: 0.03, optedOut: 0.012, muted: 0.006 };

export interface Population {
  readonly devices: Iterable<ImportedDevice>;
  readonly towns: number;
}

/** `count` phones with simulator tokens over the real towns of China, by population; the same ones every time. */
export function populate(count: number): Population {
  const random = seeded(72);
  const towns = new Towns('CN', random);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const phone = (n: number): ImportedDevice => {
    const wish = random();
    return {
      provider: 'fcm',
      platform: random() < SHARE.ios ? 'ios' : 'android',
      token: `sim:${n.toString(36)}-${Math.floor(random() * 2 ** 32).toString(36)}`,
      language: random() < SHARE.english ? 'en' : 'zh-CN',
      place: towns.draw(),
      ...(wish < SHARE.optedOut
        ? { preferences: { optedOut: ['critical'], mutedUntil: null } }
        : wish < SHARE.optedOut + SHARE.muted
          ? { preferences: { optedOut: [], mutedUntil: tomorrow } }
          : {}),
    };
  };
  return {
    towns: towns.count,
    devices: (function* () {
      for (let n = 0; n < count; n++) yield phone(n);
    })(),
  };
}
