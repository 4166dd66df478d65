import { z } from 'zod';
import { CAUSES, OUTCOMES } from '#cases';
import { TIERS } from '#dispatch';
import type { AlertFunnel, Funnel } from '#outcomes';
import { DISMISSALS, SIGHTING_STATES } from '#sightings';
import { uuid } from '../schemas/common.ts';

const count = z.int().min(0);
/** Whoever chooses an alert's area may not count the phones in it. */
const told = z.int().nullable().describe('To two digits and no finer than tens; null for fewer than 10.');
const milliseconds = z.number().min(0);
const instant = z.iso.datetime();

const asked = z.object({
  targeted: told.describe('About the sum of the seven below; null for fewer than 10.'),
  accepted: told,
  unregistered: told,
  rejected: told,
  expired: told,
  stopped: told,
  unknown: told,
  pending: told,
});

const reached = z.object({
  of: told.describe('Recipients who could answer: accepted and unknown.'),
  received: told,
  outside: told,
  opened: told,
});

const delay = z.object({
  of: told.describe('Recipients who answered.'),
  medianMs: milliseconds.nullable(),
  p90Ms: milliseconds.nullable(),
});

const alert = z.object({
  alertId: uuid,
  slug: z.string(),
  tier: z.enum(TIERS),
  releasedAt: instant,
  endedAt: instant.nullable(),
  asked: asked.extend({ withheld: z.record(z.string(), told).describe('By reason; beside the targeted.') }),
  reached,
  forwarded: z.object({
    of: told.describe('Recipients who opened.'),
    roots: told,
    children: told,
    maxDepth: told,
    views: told,
  }),
  times: z.object({
    firstPushMs: z.number().nullable().describe('From the release.'),
    lastPushMs: z.number().nullable().describe('From the release.'),
    receiptDelay: delay.describe('From the last push of the recipient’s batch.'),
    openDelay: delay.describe('From the last push of the recipient’s batch.'),
  }),
  ended: asked.extend({ reached }).describe('The waves that told those who were asked how it ended.'),
});

const counts = <Keys extends readonly [string, ...string[]]>(keys: Keys) => z.record(z.enum(keys), count);

export const funnelAnswer = z.object({
  caseId: uuid,
  outcome: z.enum(OUTCOMES).nullable(),
  cause: z.enum(CAUSES).nullable(),
  closedAt: instant.nullable(),
  alerts: z.array(alert),
  sightings: z.object({
    total: count,
    byState: counts(SIGHTING_STATES),
    bySource: counts(['app', 'page', 'phone']),
    byDismissal: counts(DISMISSALS),
  }),
});

export function viewOf({ alerts, closedAt, ...funnel }: Funnel): z.input<typeof funnelAnswer> {
  return { ...funnel, closedAt: closedAt?.toISOString() ?? null, alerts: alerts.map(alertView) };
}

function alertView({ releasedAt, endedAt, asked: { withheld, ...rest }, ...funnel }: AlertFunnel) {
  return {
    ...funnel,
    asked: { ...rest, withheld: { ...withheld } },
    releasedAt: releasedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
