import type { LineString, MultiLineString, MultiPolygon, Polygon } from 'geojson';
import { z } from 'zod';
import { CASE_TYPES, CONSENTS, PUBLICITIES } from '#cases';
import { MAX_RING_M, MAX_RINGS, RING_M, type Submission, TIERS } from '#dispatch';
import { MAX_POSITIONS, MAX_WITHIN_M, MIN_WITHIN_M } from '#geo';
import { instant, lonLat, text, uuid } from './common.ts';

/** Either is unknown: left out, or null. */
const unknown = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((value) => value ?? null);

const caseBody = z.strictObject({
  type: z.enum(CASE_TYPES).default('unknown').describe('What police believe; never shown to the public.'),
  name: unknown(text(100)),
  ageYears: unknown(z.int().min(0).max(25)),
  sex: unknown(z.enum(['female', 'male', 'other'])),
  looks: unknown(text(2000)),
  clothes: unknown(text(2000)),
  needs: unknown(text(2000).describe('Health, disability, language: what makes the hours count.')),
  circumstances: unknown(text(5000)),
  lastSeen: z
    .strictObject({
      from: unknown(instant),
      until: unknown(instant),
      place: unknown(text(300)),
      point: unknown(lonLat),
    })
    .prefault({}),
  consent: unknown(
    z.strictObject({
      given: z.enum(CONSENTS).describe('Who agrees to telling the public.'),
      reason: unknown(text(2000).describe('Why the alert is needed all the same; required without consent.')),
    }),
  ).describe('Required to submit.'),
  custodyOrderChecked: unknown(z.boolean()).describe(
    'Whether somebody looked for a custody or protection order. Required to be true to submit.',
  ),
  publicity: unknown(z.enum(PUBLICITIES)).describe(
    'Whether publicity could endanger this child: `safe`, it could not; `page_only`, the alert wakes no phone; `none`, there is no alert. Required to submit.',
  ),
});

const localised = (max: number) => z.strictObject({ 'zh-CN': text(max), en: text(max) });

const position = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]);
const string = z.array(position).min(2).max(MAX_POSITIONS);
const rings = z.array(z.array(position).max(MAX_POSITIONS)).min(1).max(50);

export const areaBody = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('circle'),
    center: lonLat,
    radiusM: z.number().min(1_000).max(500_000),
  }),
  z.strictObject({
    kind: z.literal('polygon'),
    polygon: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('Polygon'), coordinates: rings }),
        z.strictObject({ type: z.literal('MultiPolygon'), coordinates: z.array(rings).min(1).max(20) }),
      ])
      .transform((polygon): Polygon | MultiPolygon => polygon)
      .describe('GeoJSON (RFC 7946): WGS-84, longitude first, closed rings, cut at the antimeridian.'),
  }),
  z
    .strictObject({
      kind: z.literal('corridor'),
      line: z
        .discriminatedUnion('type', [
          z.strictObject({ type: z.literal('LineString'), coordinates: string }),
          z.strictObject({ type: z.literal('MultiLineString'), coordinates: z.array(string).min(1).max(50) }),
        ])
        .transform((line): LineString | MultiLineString => line)
        .describe('GeoJSON (RFC 7946): WGS-84, longitude first, cut at the antimeridian; 3 000 km at most.'),
      withinM: z.number().min(MIN_WITHIN_M).max(MAX_WITHIN_M),
    })
    .describe('Along a road or railway: everyone within so many metres of the line.'),
]);

/** Minutes of the longest alert. */
const MAX_MINUTES = 72 * 60;

const ladderRing = z.strictObject({
  radiusM: z.number().min(1_000).max(MAX_RING_M),
  afterMinutes: z.int().min(1).max(MAX_MINUTES).describe('Since the release.'),
});

export const ladderBody = z.strictObject({
  confirm: z
    .boolean()
    .default(false)
    .describe('‘Still missing?’: each ring is proposed at its time and asked once an officer approves it.'),
  rings: z.array(ladderRing).max(MAX_RINGS).describe('After the area, which is the first: each wider and later.'),
});

const messageText = z.strictObject({ title: text(60), body: text(800) });
export const textsBody = z.strictObject({ 'zh-CN': messageText, en: messageText });

const alertBody = z.strictObject({
  tier: z.enum(TIERS),
  area: unknown(areaBody).describe(
    `Whom to ask; by default everyone within ${RING_M / 1000} km of where the child was last seen.`,
  ),
  ladder: unknown(ladderBody).describe(
    'Further rings, each asked by itself at its time; by default 200, 300 and 500 km after 1, 2 and 3 hours, those that are wider than a circle.',
  ),
  place: localised(120).describe('The public name of the place; may be coarser than the case’s.'),
  photoId: unknown(uuid),
  hours: z.int().min(1).max(72).default(24).describe('From release to expiry.'),
  exercise: z.boolean().default(false),
  texts: textsBody,
});

/** A case and, apart from it, the public alert proposed. */
export const submissionBody = z.strictObject({ case: caseBody, alert: unknown(alertBody) });

export function submissionOf(body: z.output<typeof submissionBody>): Submission {
  const { type, lastSeen, consent, custodyOrderChecked, publicity, ...details } = body.case;
  return { case: { type, details, lastSeen, consent, custodyOrderChecked, publicity }, alert: body.alert };
}
