import { describe, expect, it } from '@jest/globals';
import type { MessageKind, Tier } from './alert.types.ts';
import { isNight, soundOf, untilDayMs } from './night.ts';

describe('night', () => {
  it.each([
    ['2026-01-10T13:59:59Z', false],
    ['2026-01-10T14:00:00Z', true],
    ['2026-01-10T22:59:59Z', true],
    ['2026-01-10T23:00:00Z', false],
  ])('in Shanghai at %s is %s', (at, night) => {
    expect(isNight('Asia/Shanghai', new Date(at))).toBe(night);
  });

  it('goes by the clock on the wall, summer time and all', () => {
    expect(isNight('Europe/Berlin', new Date('2026-07-01T20:30:00Z'))).toBe(true);
    expect(isNight('Europe/Berlin', new Date('2026-12-01T20:30:00Z'))).toBe(false);
  });
});

describe('the end of a night', () => {
  it.each([
    ['Asia/Shanghai', '2026-01-10T13:59:59Z', '2026-01-10T13:59:59Z'],
    ['Asia/Shanghai', '2026-01-10T14:00:01Z', '2026-01-10T23:00:00Z'],
    ['Asia/Kathmandu', '2026-01-10T20:07:00Z', '2026-01-11T01:15:00Z'],
    // The night in which summer time begins is an hour shorter.
    ['Europe/Berlin', '2026-03-28T21:30:00Z', '2026-03-29T05:00:00Z'],
  ])('in %s after %s is %s', (zone, at, day) => {
    expect(new Date(Date.parse(at) + untilDayMs(zone, new Date(at)))).toEqual(new Date(day));
  });
});

describe('sound', () => {
  const kinds: MessageKind[] = ['alert', 'update', 'cancel', 'found', 'expire'];
  const tiers: Tier[] = ['critical', 'serious'];

  it('wakes at night only for a critical alert within 20 km', () => {
    const waking = kinds.flatMap((kind) =>
      tiers.flatMap((tier) =>
        [0, 9, 10, 59].filter((band) => soundOf(kind, tier, band, true) === 'wake').map((band) => [kind, tier, band]),
      ),
    );
    expect(waking).toEqual([
      ['alert', 'critical', 0],
      ['alert', 'critical', 9],
    ]);
  });

  it('is never made by an expiry', () => {
    expect(soundOf('expire', 'critical', 0, false)).toBe('silent');
    expect(soundOf('found', 'critical', 0, false)).toBe('wake');
  });
});
