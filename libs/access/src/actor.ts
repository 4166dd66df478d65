export const ROLES = ['liaison', 'verifier', 'analyst', 'administrator'] as const;

/** What an officer may do: a liaison submits, a verifier approves, an analyst reads outcomes, an administrator manages access. */
export type Role = (typeof ROLES)[number];

/** A signed-in officer. */
export interface OfficerActor {
  readonly kind: 'officer';
  readonly id: string;
  readonly agencyId: string;
  /** The agencies below the officer's own, at any depth: its verifiers act for them too. */
  readonly belowIds: readonly string[];
  readonly roles: readonly Role[];
  /** The session's public id; its secret is in the cookie alone. */
  readonly sessionId: string;
  /** When the officer last proved in this session who they are, by sign-in or step-up. */
  readonly steppedUpAt: Date;
}

/** Another police system that posts cases with its agency's key. */
export interface AgencyKeyActor {
  readonly kind: 'agency_key';
  readonly id: string;
  readonly agencyId: string;
}

/** Who asks for an act. */
export type Actor = OfficerActor | AgencyKeyActor;

/** How the audit names an actor, e.g. `officer:0198…`: a reference, never a name. */
export function actorReference(actor: Pick<Actor, 'kind' | 'id'>): string {
  return `${actor.kind}:${actor.id}`;
}
