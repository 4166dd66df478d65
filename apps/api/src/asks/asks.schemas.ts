import { z } from 'zod';
import { ASK_REFUSALS, type LandAsk } from '#dispatch';
import { instruction, localised, texts, viewOfPlace, viewOfTexts } from '../schemas/alert-parts.ts';
import { areaView, viewOfArea } from '../schemas/area.ts';
import { slug, uuid } from '../schemas/common.ts';

const agency = z.object({ id: uuid, name: z.string() });

const askedAlert = z.object({
  id: uuid,
  slug,
  tier: z.enum(['critical', 'serious'] satisfies LandAsk['tier'][]),
  area: areaView,
  place: localised,
  callNumber: z.string(),
  instruction,
  photoUrl: z.url().nullable(),
  texts,
  releasedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});

const ask = z.object({
  id: uuid,
  state: z.enum(['asked', 'refused']).describe('What was refused may still be agreed to.'),
  agency: agency.describe('Who is asked.'),
  by: agency.describe('Who asks.'),
  askedAt: z.iso.datetime(),
  land: z
    .object({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(z.array(z.array(z.number())))) })
    .describe('Where the alert waits, to about 500 m: GeoJSON (RFC 7946).'),
  version: z.string().describe('What is agreed to: the digest of everything here.'),
  alert: askedAlert,
});

export const asksAnswer = z.object({ asks: z.array(ask) });

export const agreeBody = z.strictObject({
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the version that was read')
    .describe('The `version` that was read.'),
});

export const refuseBody = z.strictObject({ reason: z.enum(ASK_REFUSALS) });

/** @param publicUrl where alert pages are, without a trailing slash */
export function viewOf(asked: LandAsk & { readonly seen: string }, publicUrl: string): z.input<typeof ask> {
  return {
    id: asked.id,
    state: asked.state === 'refused' ? 'refused' : 'asked',
    agency: { id: asked.agencyId, name: asked.agencyName },
    by: { id: asked.byId, name: asked.byName },
    askedAt: asked.createdAt.toISOString(),
    land: { type: 'MultiPolygon', coordinates: asked.land.coordinates },
    version: asked.seen,
    alert: viewOfAlert(asked, publicUrl),
  };
}

function viewOfAlert(asked: LandAsk, publicUrl: string): z.input<typeof askedAlert> {
  return {
    id: asked.alertId,
    slug: asked.slug,
    tier: asked.tier,
    area: viewOfArea(asked.area),
    place: viewOfPlace(asked.place),
    callNumber: asked.callNumber,
    instruction: asked.instruction,
    photoUrl: asked.hasPhoto ? `${publicUrl}/a/${asked.slug}/photo.jpg` : null,
    texts: viewOfTexts(asked.texts),
    releasedAt: asked.releasedAt.toISOString(),
    expiresAt: asked.expiresAt.toISOString(),
  };
}
