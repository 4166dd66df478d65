/** Why an officer reads a case that is not theirs, as they say it in the header `Read-Reason`. */
export const READ_REASONS = ['handover', 'supervision', 'tip', 'enquiry', 'review', 'other'] as const;
export type ReadReason = (typeof READ_REASONS)[number];

/**
 * Why something was done. What the system knows: the officer is an `author` or the `verifier` of the case, has it before them
 * for `decision`, does the `duty` of their role; `system` is no person. Else what the officer states, or `unstated`.
 */
export type Why = 'author' | 'verifier' | 'decision' | 'duty' | 'system' | 'unstated' | ReadReason;

/** @returns the reason that `stated` names, or null when it names none. */
export function readReason(stated: unknown): ReadReason | null {
  return READ_REASONS.find((reason) => reason === stated) ?? null;
}
