import type { OfficerActor } from './actor.ts';

/**
 * For how long a proof of who one is stands behind acts that reach more people, in seconds. Long enough to read a case
 * and decide on it; short enough that a laptop left open at the desk cannot wake a city.
 */
export const STEP_UP_S = 5 * 60;

/** Whether the officer proved who they are within {@link STEP_UP_S}; signing in counts. */
export function isSteppedUp({ steppedUpAt }: Pick<OfficerActor, 'steppedUpAt'>, now: Date): boolean {
  return now.getTime() - steppedUpAt.getTime() < STEP_UP_S * 1000;
}
