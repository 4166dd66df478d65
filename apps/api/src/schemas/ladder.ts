import { z } from 'zod';
import type { Alert, Ladder, LadderRingStanding } from '#dispatch';

const ring = { radiusM: z.number(), afterMinutes: z.int().describe('Since the release.') };

/** A ladder as it is proposed. */
export const ladderPlan = z.object({ confirm: z.boolean(), rings: z.array(z.object(ring)) });

export function planOf({ confirm, rings }: Ladder): z.input<typeof ladderPlan> {
  return { confirm, rings: rings.map(({ radiusM, afterMinutes }) => ({ radiusM, afterMinutes })) };
}

/** A ladder as it stands. */
export const ladderView = z.object({
  confirm: z.boolean().describe('Whether each ring waits for an officer once its time has come.'),
  endedAt: z.iso.datetime().nullable().describe('From then on no ring is asked by itself.'),
  nextDueAt: z.iso.datetime().nullable(),
  rings: z
    .array(
      z.object({
        ...ring,
        state: z
          .enum(['planned', 'asked', 'fired', 'declined', 'passed', 'dropped'] satisfies LadderRingStanding['state'][])
          .describe(
            '`asked`: an officer is asked to approve it. `passed`: the area is as wide. `dropped`: it will not be asked any more.',
          ),
        dueAt: z.iso.datetime().nullable().describe('At the earliest; a hold defers it.'),
        firedAt: z.iso.datetime().nullable(),
      }),
    )
    .describe('After the area, which is the first.'),
});

export function viewOfLadder(
  { ladder, ladderEndedAt }: Pick<Alert, 'ladder' | 'ladderEndedAt'>,
  rings: readonly LadderRingStanding[],
): z.input<typeof ladderView> {
  return {
    confirm: ladder.confirm,
    endedAt: ladderEndedAt?.toISOString() ?? null,
    nextDueAt: rings.find(({ dueAt }) => dueAt)?.dueAt?.toISOString() ?? null,
    rings: rings.map(({ radiusM, afterMinutes, state, dueAt, firedAt }) => ({
      ...{ radiusM, afterMinutes, state },
      dueAt: dueAt?.toISOString() ?? null,
      firedAt: firedAt?.toISOString() ?? null,
    })),
  };
}
