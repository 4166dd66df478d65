import { z } from 'zod';
import { CAUSES, OUTCOMES } from '#cases';
import type { PublicAlert } from '#dispatch';
import { instruction, localised, mode, texts, tier, viewOfPlace, viewOfTexts } from '../schemas/alert-parts.ts';
import { areaView, viewOfArea } from '../schemas/area.ts';
import { slug, uuid } from '../schemas/common.ts';

export const endBody = z.strictObject({
  kind: z.enum(['found', 'cancel']),
  ending: z
    .enum(['safe', 'ended'])
    .default('ended')
    .describe('What the public is told: that the child is safe, or only that the search has ended.'),
  familyTold: z.boolean().default(false).describe('‘The child is safe’ may be said only after the family was told.'),
  outcome: z.enum(OUTCOMES).describe('Private.'),
  cause: z.enum(CAUSES).describe('Whether the alert brought the child home. Private.'),
});

const WHILE_LIVE = 'Null once the alert has ended.';

export const alertAnswer = z.object({
  id: uuid,
  slug,
  state: z.enum(['live', 'ended']),
  mode,
  tier,
  area: areaView.nullable().describe(WHILE_LIVE),
  place: localised.nullable().describe(WHILE_LIVE),
  callNumber: z.string().nullable().describe(WHILE_LIVE),
  instruction: instruction.nullable().describe(WHILE_LIVE),
  hasPhoto: z.boolean().nullable().describe(WHILE_LIVE),
  releasedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  message: z.object({
    kind: z.enum(['alert', 'update', 'cancel', 'found', 'expire'] satisfies PublicAlert['message']['kind'][]),
    version: z.int(),
    texts,
    createdAt: z.iso.datetime(),
  }),
});

/** What anybody may see; an ended alert keeps nothing but its ending. */
export function viewOf(alert: PublicAlert): z.input<typeof alertAnswer> {
  const { kind, version, texts: told, createdAt } = alert.message;
  return {
    id: alert.id,
    slug: alert.slug,
    state: alert.state,
    mode: alert.mode,
    tier: alert.tier,
    ...(alert.state === 'live' ? whileLive(alert) : OVER),
    releasedAt: alert.releasedAt.toISOString(),
    expiresAt: alert.expiresAt.toISOString(),
    endedAt: alert.endedAt?.toISOString() ?? null,
    message: { kind, version, texts: viewOfTexts(told), createdAt: createdAt.toISOString() },
  };
}

const OVER = { area: null, place: null, callNumber: null, instruction: null, hasPhoto: null };

function whileLive({ area, place, callNumber, instruction, hasPhoto }: PublicAlert) {
  return { area: viewOfArea(area), place: viewOfPlace(place), callNumber, instruction, hasPhoto };
}
