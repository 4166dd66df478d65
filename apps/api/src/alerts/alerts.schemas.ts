import { z } from 'zod';
import { CAUSES, OUTCOMES } from '#cases';
import type { PublicAlert } from '#dispatch';
import { uuid } from '../schemas/common.ts';

export const slug = z.string().regex(/^[\w-]{1,64}$/);

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

const localised = z.object({ 'zh-CN': z.string(), en: z.string() });

export const alertAnswer = z.object({
  id: uuid,
  slug: z.string(),
  state: z.enum(['live', 'ended']),
  mode: z.enum(['real', 'exercise', 'demo']),
  tier: z.string(),
  area: z.record(z.string(), z.unknown()),
  place: localised,
  callNumber: z.string(),
  instruction: z.string(),
  hasPhoto: z.boolean(),
  releasedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  message: z.object({
    kind: z.string(),
    version: z.int(),
    texts: z.object({
      'zh-CN': z.object({ title: z.string(), body: z.string() }),
      en: z.object({ title: z.string(), body: z.string() }),
    }),
    createdAt: z.iso.datetime(),
  }),
});

/** What anybody may see; an ended alert keeps nothing but its ending. */
export function viewOf(alert: PublicAlert): z.input<typeof alertAnswer> {
  return {
    ...alert,
    area: { ...alert.area },
    hasPhoto: alert.hasPhoto && alert.state === 'live',
    releasedAt: alert.releasedAt.toISOString(),
    expiresAt: alert.expiresAt.toISOString(),
    endedAt: alert.endedAt?.toISOString() ?? null,
    message: { ...alert.message, createdAt: alert.message.createdAt.toISOString() },
  };
}
