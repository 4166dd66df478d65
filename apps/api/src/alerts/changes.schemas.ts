import { z } from 'zod';
import { CHANGE_KINDS, CHANGE_STATES, HOLD_REASONS, MAX_RING_M, type ProposedChange, type ReadChange } from '#dispatch';
import { texts, viewOfTexts } from '../schemas/alert-parts.ts';
import { areaView, viewOfArea } from '../schemas/area.ts';
import { ladderPlan, planOf } from '../schemas/ladder.ts';
import { text, uuid } from '../schemas/common.ts';
import { areaBody, ladderBody, textsBody } from '../schemas/submission.ts';

export const holdBody = z.strictObject({ reason: z.enum(HOLD_REASONS) });

export const photoDownBody = z.strictObject({
  wrong: z
    .boolean()
    .describe('Whether it showed somebody else: then everyone who was asked is told to delete it, even while on hold.'),
});

const radiusM = z.number().min(1_000).max(MAX_RING_M);
const hours = z.int().min(1).max(72);

export const changeBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('area'), area: areaBody }).describe('Asks also those in another area.'),
  z.strictObject({ kind: z.literal('ring'), radiusM }).describe('Asks also those within more metres.'),
  z
    .strictObject({ kind: z.literal('ladder'), ladder: ladderBody })
    .describe('Plans other rings in place of those to come; one officer ends them without.'),
  z.strictObject({ kind: z.literal('texts'), texts: textsBody }).describe('Tells everyone who was asked a new text.'),
  z.strictObject({ kind: z.literal('renew'), hours }).describe('Runs on for so many hours from the approval.'),
  z.strictObject({ kind: z.literal('resume') }).describe('Lifts a hold.'),
  z
    .strictObject({ kind: z.literal('photo'), photoId: uuid })
    .describe('Shows another photo of the case, or one again.'),
]);

export const proposedAnswer = z.object({ id: uuid });

export const changeReasonBody = z.strictObject({ reason: text(2000) });

export const approveBody = z.strictObject({
  version: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the version that was read')
    .describe('The change’s `version` that was read.'),
});

export const approvedAnswer = z.object({
  targeted: z
    .int()
    .nullable()
    .describe(
      'Devices asked that were not before, to two digits and no finer than tens; null for fewer than 10, or none.',
    ),
});

const contentView = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('area'), area: areaView }),
  z.object({ kind: z.literal('ring'), radiusM }),
  z.object({ kind: z.literal('ladder'), ladder: ladderPlan }),
  z.object({ kind: z.literal('texts'), texts }),
  z.object({ kind: z.literal('renew'), hours }),
  z.object({ kind: z.literal('resume') }),
  z.object({ kind: z.literal('photo'), photoId: uuid }),
]);

const changeView = z.object({
  id: uuid,
  kind: z.enum(CHANGE_KINDS),
  content: contentView,
  state: z.enum(CHANGE_STATES),
  proposedBy: uuid.nullable().describe('Null when the ladder did: a ring whose time has come.'),
  decidedBy: uuid.nullable(),
  decidedAt: z.iso.datetime().nullable(),
  reason: z.string().nullable().describe('Why it was rejected.'),
  version: z.string().nullable().describe('What an approval must name; null once it can no longer be approved.'),
  createdAt: z.iso.datetime(),
});

export const changesAnswer = z.object({ changes: z.array(changeView) });

export function viewOfChange({ change, version, reason }: ReadChange): z.input<typeof changeView> {
  const { id, kind, content, state, proposedBy, decidedBy, decidedAt, createdAt } = change;
  return {
    ...{ id, kind, state, proposedBy, decidedBy, reason, version },
    content: viewOfContent(content),
    decidedAt: decidedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

function viewOfContent(content: ProposedChange): z.input<typeof contentView> {
  switch (content.kind) {
    case 'area':
      return { kind: 'area', area: viewOfArea(content.area) };
    case 'ladder':
      return { kind: 'ladder', ladder: planOf(content.ladder) };
    case 'texts':
      return { kind: 'texts', texts: viewOfTexts(content.texts) };
    case 'ring':
    case 'renew':
    case 'resume':
    case 'photo':
      return content;
  }
}
