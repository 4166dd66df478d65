import { z } from 'zod';
import { type Case, CASE_STATES, CAUSES, type CasePhoto, OUTCOMES } from '#cases';
import { type Alert, type Message, submissionVersion } from '#dispatch';
import { instant, text, uuid } from '../schemas/common.ts';

export const filedAnswer = z.object({ id: uuid });

export const casesQuery = z.strictObject({
  state: z.enum(CASE_STATES).optional(),
  before: instant.optional().describe('The `createdAt` of the last case of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

const caseSummary = z.object({
  id: uuid,
  reference: z.string(),
  state: z.enum(CASE_STATES),
  type: z.string(),
  name: z.string().nullable(),
  ageYears: z.number().nullable(),
  createdAt: z.iso.datetime(),
  submittedAt: z.iso.datetime().nullable(),
});

export const casesAnswer = z.object({ cases: z.array(caseSummary) });

const point = z.object({ lon: z.number(), lat: z.number(), datum: z.literal('wgs84') });

export const photoAnswer = z.object({ id: uuid, width: z.int(), height: z.int() });

export const caseAnswer = caseSummary.extend({
  details: z.record(z.string(), z.unknown()),
  lastSeen: z.object({
    from: z.iso.datetime().nullable(),
    until: z.iso.datetime().nullable(),
    place: z.string().nullable(),
    point: point.nullable(),
  }),
  photos: z.array(photoAnswer),
  decisionReason: z.string().nullable(),
  verifiedAt: z.iso.datetime().nullable(),
  closedAt: z.iso.datetime().nullable(),
  outcome: z.string().nullable(),
  cause: z.string().nullable(),
  version: z
    .string()
    .nullable()
    .describe('What a verifier verifies: the digest of everything here, once an alert is proposed.'),
  alert: z.record(z.string(), z.unknown()).nullable(),
});

export const reasonBody = z.strictObject({ reason: text(2000) });

export const verifyBody = z.strictObject({
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the version that was read')
    .describe('The `version` that was read.'),
});

export const releasedAnswer = z.object({
  alertId: uuid,
  slug: z.string(),
  targeted: z.int(),
  withheld: z.record(z.string(), z.int()),
});

export const closeBody = z.strictObject({ outcome: z.enum(OUTCOMES), cause: z.enum(CAUSES) });

export const previewAnswer = z.object({
  reached: z.int().nullable().describe('Two significant digits; null is fewer than 10.'),
  withheld: z.int().nullable(),
  medianAgeDays: z.int().nullable(),
  minutesAtQuota: z.int().nullable(),
  lockScreen: z.record(z.string(), z.object({ title: z.string(), body: z.string() })),
});

const instantOf = (date: Date | null) => date?.toISOString() ?? null;

export function summaryOf(held: Case): z.input<typeof caseSummary> {
  const { id, reference, state, type, details, createdAt, submittedAt } = held;
  const { name, ageYears } = details;
  return {
    id,
    reference,
    state,
    type,
    name,
    ageYears,
    createdAt: createdAt.toISOString(),
    submittedAt: instantOf(submittedAt),
  };
}

/** The whole case for an officer's eyes. */
export function viewOf(held: Case, photos: CasePhoto[], proposed: { alert: Alert; message: Message } | null) {
  const [lon, lat] = held.lastSeenPoint?.coordinates ?? [];
  return {
    ...summaryOf(held),
    details: { ...held.details },
    lastSeen: {
      from: instantOf(held.lastSeenFrom),
      until: instantOf(held.lastSeenUntil),
      place: held.lastSeenPlace,
      point: lon === undefined || lat === undefined ? null : { lon, lat, datum: 'wgs84' as const },
    },
    photos: photos.map(({ id, width, height }) => ({ id, width, height })),
    decisionReason: held.decisionReason,
    verifiedAt: instantOf(held.verifiedAt),
    closedAt: instantOf(held.closedAt),
    outcome: held.outcome,
    cause: held.cause,
    version: proposed && submissionVersion(held, photos, proposed.alert, proposed.message),
    alert: proposed && { ...proposed.alert, texts: proposed.message.texts },
  };
}
