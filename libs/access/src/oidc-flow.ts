import { z } from 'zod';
import type { Keys } from '#platform';

/** Seconds an officer has for signing in at the provider, and then again for the code that is owed. */
export const OIDC_FLOW_S = 10 * 60;

const id = z.uuid();
const common = {
  agencyId: id,
  /** Milliseconds since the epoch, as the next. */
  startedAt: z.number(),
  expiresAt: z.number(),
  /** The session to step up; null when one is to be opened. */
  stepUp: z.object({ officerId: id, sessionId: id }).nullable(),
};

const STAGES = {
  /** On the way to the provider. */
  asked: z.object({ ...common, state: z.string(), nonce: z.string(), verifier: z.string() }),
  /** Back from it, and a code of ours is still owed. */
  proved: z.object({ ...common, officerId: id }),
} as const;

export type OidcStage = keyof typeof STAGES;
/** What the browser holds for us between two requests, sealed: nobody reads, makes or changes it. */
export type OidcFlow<Stage extends OidcStage> = z.output<(typeof STAGES)[Stage]>;

export function sealFlow<Stage extends OidcStage>(keys: Keys, stage: Stage, flow: OidcFlow<Stage>): string {
  return keys.seal('oidc-flow', Buffer.from(JSON.stringify(flow)), stage).toString('base64url');
}

/** Null for what is not ours, of another stage, or over. */
export function openFlow<Stage extends OidcStage>(
  keys: Keys,
  stage: Stage,
  sealed: string | undefined,
  now: Date,
): OidcFlow<Stage> | null {
  if (sealed === undefined) return null;
  try {
    const text = keys.open('oidc-flow', Buffer.from(sealed, 'base64url'), stage).toString();
    const flow = STAGES[stage].parse(JSON.parse(text)) as OidcFlow<Stage>;
    return flow.expiresAt > now.getTime() ? flow : null;
  } catch {
    return null;
  }
}
