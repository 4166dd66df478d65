import type { Point } from 'geojson';
import { z } from 'zod';
import {
  type Case,
  CASE_STATES,
  CASE_TYPES,
  type CaseDetails,
  type CaseRead,
  CAUSES,
  CONSENTS,
  type HarmCheck,
  OUTCOMES,
  PUBLICITIES,
} from '#cases';
import {
  type Alert,
  ALERT_STATES,
  HOLD_REASONS,
  type LadderRingStanding,
  type Message,
  type Neighbour,
  type Released,
  submissionVersion,
  SYSTEM_HOLD_REASONS,
} from '#dispatch';
import type { Blur } from '#platform';
import { instruction, localised, mode, texts, tier, viewOfPlace, viewOfTexts } from '../schemas/alert-parts.ts';
import { areaView, viewOfArea } from '../schemas/area.ts';
import { ladderView, viewOfLadder } from '../schemas/ladder.ts';
import { elsewhere, neighbours, viewOfNeighbour } from '../schemas/neighbours.ts';
import { pointView, slug, text, uuid, wgs84Point } from '../schemas/common.ts';

export const filedAnswer = z.object({ id: uuid });

export const casesQuery = z.strictObject({
  state: z.enum(CASE_STATES).optional(),
  agencyId: uuid.optional().describe('An agency below, for verifiers above it; by default one’s own.'),
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
  ladder: ladderView,
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
  heldAt: z.iso.datetime().nullable().describe('While it is set nothing is sent; the public is shown nothing of it.'),
  heldReason: z.enum([...HOLD_REASONS, ...SYSTEM_HOLD_REASONS, 'frozen']).nullable(),
  stoppedAt: z.iso.datetime().nullable().describe('From then on nobody new is asked, for good.'),
  changesPending: z.int().describe('Changes that wait for a decision.'),
  texts,
});

/** What was asked before anybody may be told: see the submission. */
const harmCheck = {
  consent: z.object({ given: z.enum(CONSENTS), reason: z.string().nullable() }).nullable(),
  custodyOrderChecked: z.boolean().nullable(),
  publicity: z.enum(PUBLICITIES).nullable(),
};

export const caseAnswer = caseSummary.extend({
  details: detailsView,
  ...harmCheck,
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
  conflictedIds: z.array(uuid).describe('Officers whom a declared conflict of interest bars from this case.'),
  keptUntil: z.iso
    .datetime()
    .nullable()
    .describe('When all of this is erased, unless it changes; null while the case is submitted or active.'),
  version: z.string().describe('What a verifier verifies: the digest of everything here that they decide on.'),
  alert: proposedAlert.nullable().describe('As proposed or released.'),
  neighbours,
});

export const reasonBody = z.strictObject({ reason: text(2000) });

export const verifyBody = z.strictObject({
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the version that was read')
    .describe('The `version` that was read.'),
});

const toldCount = z.int().nullable().describe('Devices, to two digits and no finer than tens; null for fewer than 10.');

export const releasedAnswer = z.object({
  alertId: uuid.nullable().describe('Null where the public may be told nothing.'),
  slug: z.string().nullable(),
  targeted: toldCount,
  withheld: z.record(z.string(), toldCount).describe('By reason.'),
  ...elsewhere,
});

/** Counts of an answer are rounded, for whoever may choose an area may not count the phones in it. */
export function toldOf(released: Released, blur: Blur): z.input<typeof releasedAnswer> {
  const told = (what: string, devices: number) => blur.count(`${released.alertId}|${what}`, devices);
  const withheld = Object.entries(released.withheld)
    .map(([reason, devices]) => [reason, told(reason, devices)] as const)
    // That a reason stands there at all would tell of the one phone that has it.
    .filter(([, devices]) => devices !== null);
  return {
    ...released,
    targeted: told('targeted', released.targeted),
    withheld: Object.fromEntries(withheld),
  };
}

export const NOTHING_RELEASED = {
  alertId: null,
  slug: null,
  targeted: null,
  withheld: {},
  waiting: null,
  closed: null,
};

export const conflictBody = z.strictObject({
  officerId: uuid.optional().describe('A colleague, named by a verifier; left out, oneself.'),
});

export const closeBody = z.strictObject({ outcome: z.enum(OUTCOMES), cause: z.enum(CAUSES) });

export const previewAnswer = z.object({
  reached: z.int().nullable().describe('Two significant digits; null is fewer than 10.'),
  withheld: z.int().nullable(),
  ...elsewhere,
  medianAgeDays: z.int().nullable(),
  minutesAtQuota: z.int().nullable(),
  rings: z
    .array(
      z.object({
        radiusM: z.number(),
        afterMinutes: z.int(),
        reached: z.int().nullable().describe('Everyone within it; null is fewer than 10.'),
        minutesAtQuota: z.int().nullable().describe('For those whom it adds.'),
      }),
    )
    .describe('The ladder: what each further ring would reach.'),
  suggestedRadiusM: z
    .number()
    .nullable()
    .describe('How wide to begin, by how long the child has been missing. A suggestion: nothing follows from it.'),
  lockScreen: z.record(z.string(), z.object({ title: z.string(), body: z.string() })),
  neighbours,
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

/** What an alert's own row does not say. */
export interface AlertStanding {
  readonly changesPending: number;
  readonly rings: readonly LadderRingStanding[];
}

/** The whole case for an officer's eyes. */
export function viewOf(
  { found: held, photos, keptUntil }: CaseRead,
  proposed: { alert: Alert; message: Message } | null,
  met: readonly Neighbour[],
  { changesPending, rings }: AlertStanding,
): z.input<typeof caseAnswer> {
  return {
    ...summaryOf(held),
    details: viewOfDetails(held.details),
    ...viewOfHarmCheck(held),
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
    conflictedIds: held.conflictedIds,
    keptUntil: instantOf(keptUntil),
    version: submissionVersion(held, photos, proposed?.alert ?? null, proposed?.message ?? null),
    alert: proposed && viewOfAlert(proposed.alert, proposed.message, { changesPending, rings }),
    neighbours: met.map(viewOfNeighbour),
  };
}

function viewOfDetails(details: CaseDetails): z.input<typeof detailsView> {
  const { name, ageYears, sex, looks, clothes, needs, circumstances } = details;
  return { name, ageYears, sex, looks, clothes, needs, circumstances };
}

function viewOfHarmCheck({ consent, custodyOrderChecked, publicity }: HarmCheck) {
  return { consent: consent && { given: consent.given, reason: consent.reason }, custodyOrderChecked, publicity };
}

function viewOfAlert(
  alert: Alert,
  message: Message,
  { changesPending, rings }: AlertStanding,
): z.input<typeof proposedAlert> {
  const { id, slug, state, mode, tier, zone, callNumber, instruction, photoId, hours } = alert;
  return {
    ...{ id, slug, state, mode, tier, zone, callNumber, instruction, photoId, hours },
    area: viewOfArea(alert.area),
    ladder: viewOfLadder(alert, rings),
    origin: viewOfPoint(alert.origin),
    place: viewOfPlace(alert.place),
    releasedAt: instantOf(alert.releasedAt),
    expiresAt: instantOf(alert.expiresAt),
    endedAt: instantOf(alert.endedAt),
    heldAt: instantOf(alert.heldAt),
    heldReason: alert.heldReason,
    stoppedAt: instantOf(alert.stoppedAt),
    changesPending,
    texts: viewOfTexts(message.texts),
  };
}

/** PostGIS gives GeoJSON, whose positions are longitude first. */
function viewOfPoint({ coordinates }: Point): z.input<typeof wgs84Point> {
  return pointView(coordinates as [number, number]);
}
