import { z } from 'zod';
import { DISMISSALS, SIGHTING_STATES, type Sighting, type SightingReport } from '#sightings';
import { type Bodies, openApiSchema } from '../body-document.ts';
import { PHOTO_FIELD } from '../schemas/binary.ts';
import { instant, lonLat, pointView, text, uuid, wgs84Point } from '../schemas/common.ts';

const fields = {
  words: text(2000),
  place: lonLat.nullish().describe('Where, as a point.'),
  placeWords: text(300).nullish().describe('Where, in words.'),
  observedAt: instant.nullish(),
  contact: text(200).nullish().describe('How the police can reach the witness; only they see it.'),
};

/** A tip taken down from a call. */
export const phoneSightingBody = z.strictObject(fields);

/** A tip from the app; `ref` is the reference in the push, where there was one. */
const sightingBody = z.strictObject({ ...fields, ref: z.string().max(64).nullish() });

/** As JSON or, with a photo, as a form whose field `sighting` holds the JSON. */
export const sightingForm = z.union([
  sightingBody,
  z.strictObject({ sighting: sightingBody }).transform(({ sighting }) => sighting),
  z
    .strictObject({ sighting: z.string().transform(parseJson).pipe(sightingBody) })
    .transform(({ sighting }) => sighting),
]);

/** The same for the OpenAPI document. */
export const SIGHTING_BODIES = {
  'application/json': openApiSchema(sightingBody, 'input'),
  'multipart/form-data': {
    type: 'object',
    properties: { sighting: { type: 'string', description: 'The JSON body, as text.' }, photo: PHOTO_FIELD },
    required: ['sighting'],
    additionalProperties: false,
  },
} satisfies Bodies;

function parseJson(value: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
}

export function reportOf(body: z.output<typeof phoneSightingBody>, photo: Buffer | undefined): SightingReport {
  return {
    words: body.words,
    place: body.placeWords ?? null,
    point: body.place ?? null,
    observedAt: body.observedAt ?? null,
    contact: body.contact ?? null,
    photo: photo?.length ? photo : null,
  };
}

export const sightingAnswer = z.object({ id: uuid, receivedAt: z.iso.datetime() });

export const sightingsQuery = z.strictObject({ before: uuid.optional().describe('The last page’s `next`.') });

const sightingView = z.object({
  id: uuid,
  source: z.enum(['app', 'page', 'phone']),
  state: z.enum(SIGHTING_STATES),
  words: z.string(),
  place: wgs84Point.nullable(),
  placeWords: z.string().nullable(),
  observedAt: z.iso.datetime().nullable(),
  receivedAt: z.iso.datetime(),
  contact: z.string().nullable(),
  hasPhoto: z.boolean(),
  takenBy: uuid.nullable(),
  triagedBy: uuid.nullable(),
  triagedAt: z.iso.datetime().nullable(),
  dismissal: z.enum(DISMISSALS).nullable(),
});

export const sightingsAnswer = z.object({ sightings: z.array(sightingView), next: uuid.nullable() });

export function viewOf(sighting: Sighting): z.input<typeof sightingView> {
  const { id, source, state, words, point, place, contact, hasPhoto, takenBy, triagedBy, dismissal } = sighting;
  return {
    ...{ id, source, state, words, contact, hasPhoto, takenBy, triagedBy, dismissal },
    place: point && pointView(point),
    placeWords: place,
    observedAt: sighting.observedAt?.toISOString() ?? null,
    receivedAt: sighting.receivedAt.toISOString(),
    triagedAt: sighting.triagedAt?.toISOString() ?? null,
  };
}

export const triageBody = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('following') }),
  z.strictObject({ to: z.literal('confirmed') }),
  z.strictObject({ to: z.literal('dismissed'), dismissal: z.enum(DISMISSALS) }),
]);
