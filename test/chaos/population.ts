import type { ImportedDevice } from '#audience';
import { coarsen, type LonLat } from '#geo';

/** Kunshan, between Shanghai and Suzhou (GeoNames, CC-BY 4.0), as an alert tells a place: to a kilometre. */
export const TOWN: LonLat = coarsen([120.95431, 31.37762]);
export const PHONES = 10_000;

/** Metres within which most live: two thirds of them within, the rest as far again. */
const SPREAD_M = 15_000;
const DEGREE_M = 111_320;

/** Every so many-th phone: is an iPhone, wants no alerts, is muted. */
const EVERY = { ios: 5, optedOut: 83, muted: 167 } as const;

/** Phones around a real town, the same ones every time; the golden angle scatters them evenly. */
export function* phones(): Generator<ImportedDevice> {
  const tomorrow = new Date(Date.now() + 86_400_000);
  for (let n = 0; n < PHONES; n++) {
    const wish =
      n % EVERY.optedOut === 0
        ? { preferences: { optedOut: ['critical' as const], mutedUntil: null } }
        : n % EVERY.muted === 0
          ? { preferences: { optedOut: [], mutedUntil: tomorrow } }
          : {};
    yield {
      provider: 'fcm',
      platform: n % EVERY.ios === 0 ? 'ios' : 'android',
      token: `sim:chaos-${n.toString(36)}`,
      language: n % 7 === 0 ? 'en' : 'zh-CN',
      place: placeOf(n),
      ...wish,
    };
  }
}

function placeOf(n: number): LonLat {
  const distanceM = -Math.log(1 - (n + 0.5) / PHONES) * SPREAD_M;
  const turn = n * 2.399963;
  const north = (distanceM * Math.cos(turn)) / DEGREE_M;
  const east = (distanceM * Math.sin(turn)) / (DEGREE_M * Math.cos((TOWN[1] * Math.PI) / 180));
  return [TOWN[0] + east, TOWN[1] + north];
}
