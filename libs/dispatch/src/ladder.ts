import type { Area } from '#geo';
import type { Alert } from './alert.entity.ts';
import type { Tier } from './alert.types.ts';
import type { Ladder, LadderRing, LadderRingStanding, LadderStep } from './ladder.types.ts';
import { untilDayMs } from './night.ts';

const MINUTE_MS = 60_000;

/** What the field does (Tuanyuan, China's system): 100, 200, 300 and 500 km by the hour. Our first ring, of 120 km, is the area. */
const DEFAULT_RINGS: readonly LadderRing[] = [
  { radiusM: 200_000, afterMinutes: 60 },
  { radiusM: 300_000, afterMinutes: 120 },
  { radiusM: 500_000, afterMinutes: 180 },
];

const NO_LADDER: Ladder = { confirm: false, rings: [] };

/** The ladder of whoever gives none. Only a circle grows by itself: another shape follows a road or a border on purpose. */
export function defaultLadder(area: Area, tier: Tier, hours: number): Ladder {
  if (area.kind !== 'circle' || tier === 'page_only') return NO_LADDER;
  const fits = ({ radiusM, afterMinutes }: LadderRing) => radiusM > area.radiusM && afterMinutes < hours * 60;
  return { confirm: false, rings: DEFAULT_RINGS.filter(fits) };
}

/** How wide Tuanyuan begins by how long a child has been missing: up to 1, 2, 3 hours and beyond. To suggest, never to do. */
export function suggestedRadiusM(lastSeen: Date, now: Date): number {
  const hours = (now.getTime() - lastSeen.getTime()) / (60 * MINUTE_MS);
  if (hours <= 1) return 100_000;
  if (hours <= 2) return 200_000;
  return hours <= 3 ? 300_000 : 500_000;
}

/** Why a ladder cannot be climbed: its rings do not grow, or are too late for the alert. */
export type LadderFault = 'not_growing' | 'too_late';

/**
 * @param from the area, and the time of the last ring that has had its turn (0: the release's)
 * @param minutes from the release to the expiry
 */
export function ladderFault(
  { rings }: Ladder,
  from: { readonly area: Area; readonly afterMinutes: number },
  minutes: number,
): LadderFault | null {
  let last: LadderRing = { radiusM: radiusOf(from.area), afterMinutes: from.afterMinutes };
  for (const ring of rings) {
    if (ring.radiusM <= last.radiusM || ring.afterMinutes <= last.afterMinutes) return 'not_growing';
    if (ring.afterMinutes >= minutes) return 'too_late';
    last = ring;
  }
  return null;
}

/** What of an alert its ladder's times follow from. */
export type Climbing = Pick<
  Alert,
  'tier' | 'zone' | 'area' | 'ladder' | 'ladderEndedAt' | 'state' | 'releasedAt' | 'expiresAt' | 'stoppedAt'
>;

/** A ring and when it may be fired at the earliest. */
interface DueRing {
  readonly ring: LadderRing;
  readonly dueAt: Date;
}

/**
 * The rings still to come, with when each may be fired at the earliest: at its time since the release, and never sooner after
 * the one before than the ladder spaces them. So whatever was missed, by a hold or an outage, is caught up one ring at a
 * time. A serious alert's rings wait for the day, as its first does.
 * @param steps by time
 */
export function ringsDue(alert: Climbing, steps: readonly LadderStep[], now: Date): readonly DueRing[] {
  const { releasedAt, expiresAt } = alert;
  if (alert.state !== 'live' || !releasedAt || !expiresAt || isOver(alert, now)) return [];
  const byDay = (at: number) => at + (alert.tier === 'serious' ? untilDayMs(alert.zone, new Date(at)) : 0);
  const begun = byDay(releasedAt.getTime());
  const last = steps.at(-1);
  let before = last ? { after: last.afterMinutes, at: last.at.getTime() } : { after: 0, at: begun };
  const due: DueRing[] = [];
  for (const ring of ahead(alert, last)) {
    const apart = (ring.afterMinutes - before.after) * MINUTE_MS;
    const at = byDay(Math.max(begun + ring.afterMinutes * MINUTE_MS, before.at + apart));
    if (at >= expiresAt.getTime()) break;
    due.push({ ring, dueAt: new Date(at) });
    before = { after: ring.afterMinutes, at: Math.max(at, now.getTime()) };
  }
  return due;
}

/** The ring to fire or to propose now; null while none is due, or the last one proposed has no answer. */
export function ringDue(alert: Climbing, steps: readonly LadderStep[], now: Date): DueRing | null {
  if (steps.at(-1)?.state === 'asked') return null;
  const [next] = ringsDue(alert, steps, now);
  return next && next.dueAt <= now ? next : null;
}

/** The whole ladder as it stands: what has had its turn, and what is to come. */
export function ladderStanding(alert: Climbing, steps: readonly LadderStep[], now: Date): LadderRingStanding[] {
  const last = steps.at(-1);
  const due = last?.state === 'asked' ? [] : ringsDue(alert, steps, now);
  const coming = new Set(ahead(alert, last));
  const over = alert.state === 'ended' || (alert.state === 'live' && isOver(alert, now));
  const taken = new Set(steps.map(({ afterMinutes }) => afterMinutes));
  const rest = alert.ladder.rings.filter(({ afterMinutes }) => !taken.has(afterMinutes));
  const standing = [
    ...steps.map(({ at, ...step }) => ({ ...step, dueAt: null, firedAt: step.state === 'fired' ? at : null })),
    ...rest.map((ring) => ({
      ...ring,
      state: over ? ('dropped' as const) : coming.has(ring) ? ('planned' as const) : ('passed' as const),
      dueAt: due.find((one) => one.ring === ring)?.dueAt ?? null,
      firedAt: null,
    })),
  ];
  return standing.sort((a, b) => a.afterMinutes - b.afterMinutes);
}

function ahead({ ladder, area }: Climbing, last: LadderStep | undefined): LadderRing[] {
  const after = last?.afterMinutes ?? 0;
  return ladder.rings.filter((ring) => ring.afterMinutes > after && ring.radiusM > radiusOf(area));
}

function isOver({ ladderEndedAt, stoppedAt, expiresAt }: Climbing, now: Date): boolean {
  return ladderEndedAt !== null || stoppedAt !== null || (expiresAt !== null && expiresAt <= now);
}

/** Around any shape but a circle, any ring is wider. */
function radiusOf(area: Area): number {
  return area.kind === 'circle' ? area.radiusM : 0;
}
