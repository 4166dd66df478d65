import type { Point } from 'geojson';
import { z } from 'zod';
import { type Case, CASE_STATES, CASE_TYPES, type CaseDetails, CAUSES, type CasePhoto, OUTCOMES } from '#cases';
import { type Alert, ALERT_STATES, type Message, submissionVersion } from '#dispatch';
import { instruction, localised, mode, texts, tier, viewOfPlace, viewOfTexts } from '../schemas/alert-parts.ts';
import { areaView, viewOfArea } from '../schemas/area.ts';
import { pointView, slug, text, uuid, wgs84Point } from '../schemas/common.ts';

export const filedAnswer = z.object({ id: uuid });

export const casesQuery = z.strictObject({
  state: z.enum(CASE_STATES).optional(),
  before: uuid.optional().describe('The last page’s `next`.'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

const caseSummary = z.object({
  id: uuid,
  reference: z.string(),
  state: z.enum(CASE_STATES),
  type: z.enum(CASE_TYPES),
  name: z.string().nullable(),
  ageYears: z.number().nullable(),
  createdAt: z.iso.datetime(),
  submittedAt: z.iso.datetime().nullable(),
});

export const casesAnswer = z.object({ cases: z.array(caseSummary), next: uuid.nullable() });

export const photoAnswer = z.object({ id: uuid, width: z.int(), height: z.int() });

const detailsView = z
  .object({
    name: z.string().nullable(),
    ageYears: z.number().nullable(),
    sex: z.enum(['female', 'male', 'other']).nullable(),
    looks: z.string().nullable(),
    clothes: z.string().nullable(),
    needs: z.string().nullable(),
    circumstances: z.string().nullable(),
  })
  .describe('The child; null is unknown.');

const proposedAlert = z.object({
  id: uuid,
  slug,
  state: z.enum(ALERT_STATES),
  mode,
  tier,
  area: areaView,
  origin: wgs84Point.describe('Where the child was last seen, to about 1 km: the nearest phones are asked first.'),
  zone: z.string().describe('IANA name of the zone that decides what is night.'),
  place: localised,
  callNumber: z.string(),
  instruction,
  photoId: uuid.nullable(),
  hours: z.int().describe('From release to expiry.'),
  releasedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  texts,
});

export const caseAnswer = caseSummary.extend({
  details: detailsView,
  lastSeen: z.object({
    from: z.iso.datetime().nullable(),
    until: z.iso.datetime().nullable(),
    place: z.string().nullable(),
    point: wgs84Point.nullable(),
  }),
  photos: z.array(photoAnswer),
  decisionReason: z.string().nullable(),
  verifiedAt: z.iso.datetime().nullable(),
  closedAt: z.iso.datetime().nullable(),
  outcome: z.enum(OUTCOMES).nullable(),
  cause: z.enum(CAUSES).nullable(),
  version: z
    .string()
    .nullable()
    .describe('What a verifier verifies: the digest of everything here, once an alert is proposed.'),
  alert: proposedAlert.nullable().describe('As proposed or released.'),
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
export function viewOf(
  held: Case,
  photos: CasePhoto[],
  proposed: { alert: Alert; message: Message } | null,
): z.input<typeof caseAnswer> {
  return {
    ...summaryOf(held),
    details: viewOfDetails(held.details),
    lastSeen: {
      from: instantOf(held.lastSeenFrom),
      until: instantOf(held.lastSeenUntil),
      place: held.lastSeenPlace,
      point: held.lastSeenPoint && viewOfPoint(held.lastSeenPoint),
    },
    photos: photos.map(({ id, width, height }) => ({ id, width, height })),
    decisionReason: held.decisionReason,
    verifiedAt: instantOf(held.verifiedAt),
    closedAt: instantOf(held.closedAt),
    outcome: held.outcome,
    cause: held.cause,
    version: proposed && submissionVersion(held, photos, proposed.alert, proposed.message),
    alert: proposed && viewOfAlert(proposed.alert, proposed.message),
  };
}

function viewOfDetails(details: CaseDetails): z.input<typeof detailsView> {
  const { name, ageYears, sex, looks, clothes, needs, circumstances } = details;
  return { name, ageYears, sex, looks, clothes, needs, circumstances };
}

function viewOfAlert(alert: Alert, message: Message): z.input<typeof proposedAlert> {
  const { id, slug, state, mode, tier, zone, callNumber, instruction, photoId, hours } = alert;
  return {
    ...{ id, slug, state, mode, tier, zone, callNumber, instruction, photoId, hours },
    area: viewOfArea(alert.area),
    origin: viewOfPoint(alert.origin),
    place: viewOfPlace(alert.place),
    releasedAt: instantOf(alert.releasedAt),
    expiresAt: instantOf(alert.expiresAt),
    endedAt: instantOf(alert.endedAt),
    texts: viewOfTexts(message.texts),
  };
}

/** PostGIS gives GeoJSON, whose positions are longitude first. */
function viewOfPoint({ coordinates }: Point): z.input<typeof wgs84Point> {
  return pointView(coordinates as [number, number]);
}
