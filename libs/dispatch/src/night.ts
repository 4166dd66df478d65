import { NEAR_BANDS } from '#audience';
import { hourIn } from '#platform';
import type { MessageKind, Tier } from './alert.types.ts';

/** Night is 22:00–07:00 where the child was last seen. */
export const NIGHT_FROM_HOUR = 22;
export const NIGHT_UNTIL_HOUR = 7;

export function isNight(zone: string, at: Date): boolean {
  const hour = hourIn(zone, at);
  return hour >= NIGHT_FROM_HOUR || hour < NIGHT_UNTIL_HOUR;
}

/** Zones are apart by quarter hours, so that every hour of theirs begins with one. */
const QUARTER_MS = 900_000;

/** Milliseconds until the night is over; 0 by day. */
export function untilDayMs(zone: string, at: Date): number {
  let day = at.getTime();
  while (isNight(zone, new Date(day))) day = (Math.floor(day / QUARTER_MS) + 1) * QUARTER_MS;
  return day - at.getTime();
}

/**
 * Whether a push may sound. Night alarms are what makes people switch alerts off: at night only a critical alert sounds,
 * and only near. No ending sounds at night, and expiry, which asks nothing, never does.
 */
export function soundOf(kind: MessageKind, tier: Tier, band: number, night: boolean): 'wake' | 'silent' {
  if (kind === 'expire') return 'silent';
  if (!night) return 'wake';
  return kind === 'alert' && tier === 'critical' && band < NEAR_BANDS ? 'wake' : 'silent';
}
