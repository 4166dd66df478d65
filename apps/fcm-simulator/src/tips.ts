/** Invented sightings: where, when and in whose words. Nobody in them exists. */
import type { Random } from './random.ts';

export interface Tip {
  readonly place: { readonly lon: number; readonly lat: number; readonly datum: 'wgs84' };
  /** ISO 8601, UTC. */
  readonly observedAt: string;
  readonly words: string;
}

const METRES_PER_DEGREE = 111_320;
/** The third is the obvious hoax. */
const WORDS = [
  '刚才在公交站看到一个孩子，衣服和照片上一样，一个人坐在长椅上，往菜市场方向走了。',
  'Saw a child matching the photo near the entrance of the supermarket about ten minutes ago, alone and looking lost.',
  'I saw the child get into a flying saucer. Send me 10,000 and I will tell you where it landed!!!',
  '在小区门口的便利店见过，当时在问路，店员可能还记得，店里有监控。',
  'A kid in similar clothes was at the playground behind the school, walking along the river afterwards.',
  '地铁站 B 出口附近有个小孩在哭，旁边没有大人，我已经告诉了站务员。',
] as const;
const HOAX = 2;

/** The n-th tip of an alert with this `area` text ({"c":[lon,lat],"r":metres} or {"b":[w,s,e,n]}). */
export function tip(n: number, area: string, nowMs: number, random: Random): Tip {
  const index = n % WORDS.length;
  const [lon, lat] = placeIn(area, index === HOAX ? 1 : 0.3, random);
  return {
    place: { lon: wrapped(lon), lat: Math.max(-90, Math.min(90, lat)), datum: 'wgs84' },
    observedAt: new Date(nowMs - Math.floor(random() * 60_000)).toISOString(),
    words: WORDS[index] ?? WORDS[0],
  };
}

/** A point within the given part of the area's reach from its middle. */
function placeIn(area: string, part: number, random: Random): [lon: number, lat: number] {
  const { lon, lat, metres } = middle(area);
  const distance = metres * part * Math.sqrt(random());
  const angle = 2 * Math.PI * random();
  const northing = (distance * Math.cos(angle)) / METRES_PER_DEGREE;
  const shrink = Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  return [lon + (distance * Math.sin(angle)) / (METRES_PER_DEGREE * shrink), lat + northing];
}

function middle(area: string): { lon: number; lat: number; metres: number } {
  const parsed = parse(area);
  const [lon, lat] = numbers(parsed['c'], 2);
  if (lon !== undefined && lat !== undefined) return { lon, lat, metres: numbers([parsed['r']], 1)[0] ?? 1000 };
  const [west, south, east, north] = numbers(parsed['b'], 4);
  if (west === undefined || south === undefined || east === undefined || north === undefined) {
    return { lon: 0, lat: 0, metres: 1000 };
  }
  const eastward = east < west ? east + 360 : east;
  return { lon: (west + eastward) / 2, lat: (south + north) / 2, metres: ((north - south) / 2) * METRES_PER_DEGREE };
}

function parse(area: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(area);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function numbers(value: unknown, count: number): number[] {
  const fits = Array.isArray(value) && value.length === count && value.every((item) => Number.isFinite(item));
  return fits ? (value as number[]) : [];
}

function wrapped(lon: number): number {
  return ((((lon + 180) % 360) + 360) % 360) - 180;
}
