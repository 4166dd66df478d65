import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Actor, OfficerActor, Role } from './actor.ts';
import { isSteppedUp, STEP_UP_S } from './step-up.ts';

/**
 * Whom an act reaches: `more` people, or it changes what they are told or who may act; `fewer`; or `none`.
 * More takes a second officer who authored no part and has just proved who they are; fewer takes one officer, at once.
 */
export type Reach = 'more' | 'fewer' | 'none';

interface Permission {
  readonly roles: readonly (Role | 'agency_key')[];
  readonly reach: Reach;
  /** Also without reaching more: nobody decides what they authored. */
  readonly decides?: true;
  /** Of whom in an agency above; without it, of its verifiers. */
  readonly above?: readonly Role[];
}

/** Who may do what. An action that is not here nobody may do. */
const PERMISSIONS = {
  'case.create': { roles: ['liaison'], reach: 'none' },
  'case.read': { roles: ['liaison', 'verifier'], reach: 'none' },
  'case.edit': { roles: ['liaison'], reach: 'none' },
  'case.submit': { roles: ['liaison'], reach: 'none' },
  'case.conflict': { roles: ['liaison', 'verifier'], reach: 'none' },
  'case.conflict.name': { roles: ['verifier'], reach: 'fewer' },
  'case.decide': { roles: ['verifier'], reach: 'more' },
  'case.close': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'alert.preview': { roles: ['liaison', 'verifier'], reach: 'none' },
  'alert.change.propose': { roles: ['liaison', 'verifier'], reach: 'none' },
  'alert.change.decide': { roles: ['verifier'], reach: 'more' },
  'alert.hold': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'alert.stop': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'alert.ladder_end': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'alert.photo_down': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'alert.end': { roles: ['liaison', 'verifier'], reach: 'fewer' },
  'ask.read': { roles: ['verifier'], reach: 'none' },
  'ask.agree': { roles: ['verifier'], reach: 'more' },
  'ask.refuse': { roles: ['verifier'], reach: 'fewer' },
  'sighting.take': { roles: ['liaison', 'verifier'], reach: 'none' },
  'sighting.read': { roles: ['liaison', 'verifier'], reach: 'none' },
  'sighting.triage': { roles: ['liaison', 'verifier'], reach: 'none' },
  'outcome.read': { roles: ['analyst', 'liaison', 'verifier'], reach: 'none' },
  'intake.post': { roles: ['agency_key'], reach: 'none' },
  'review.read': { roles: ['verifier'], reach: 'none' },
  'review.settle': { roles: ['verifier'], reach: 'none', decides: true },
  'audit.read': { roles: ['administrator', 'verifier'], reach: 'none' },
  'retention.read': { roles: ['administrator', 'verifier'], reach: 'none' },
  'officer.freeze': { roles: ['verifier', 'administrator'], reach: 'fewer' },
  'officer.thaw': { roles: ['administrator'], reach: 'more', above: ['administrator'] },
  'agency.freeze': { roles: ['verifier', 'administrator'], reach: 'fewer' },
  // A frozen agency has no administrator who could: one of an agency above does it.
  'agency.thaw': { roles: ['administrator'], reach: 'more', above: ['administrator'] },
  'access.manage': { roles: ['administrator'], reach: 'none' },
  'access.grant': { roles: ['administrator'], reach: 'more' },
  'access.read_grants': { roles: ['administrator', 'verifier'], reach: 'none', above: ['administrator', 'verifier'] },
  'access.refuse': { roles: ['administrator', 'verifier'], reach: 'fewer', above: ['administrator', 'verifier'] },
  'access.confirm': { roles: ['administrator', 'verifier'], reach: 'more', above: ['administrator', 'verifier'] },
} as const satisfies Record<string, Permission>;

export type Action = keyof typeof PERMISSIONS;

/** Every action, for tests and documents. */
export const ACTIONS = Object.keys(PERMISSIONS) as readonly Action[];

interface Owned {
  /** Whose it is. */
  readonly agencyId: string;
  /** Officers with a declared conflict of interest. */
  readonly conflictedIds?: readonly string[];
  /** The officer an act of administration is done to. */
  readonly officerId?: string;
}

/** Actions that nobody does to what they authored. */
type Decision = {
  [A in Action]: (typeof PERMISSIONS)[A] extends { reach: 'more' } | { decides: true } ? A : never;
}[Action];

/** What an act is done to; a decision must be told the officers who authored any part of it. */
export type Thing<A extends Action> = Owned &
  (A extends Decision ? { readonly authorIds: readonly string[] } : { readonly authorIds?: readonly string[] });

/**
 * Why not: another agency's thing, a role the actor lacks, an act on the actor's own access, a declared conflict, a
 * decision on the actor's own work, or a proof of who they are that is too old.
 */
export type Denial =
  'foreign_agency' | 'role_required' | 'oneself' | 'conflict_of_interest' | 'own_work' | 'step_up_required';

/** Whom an action reaches. */
export function reachOf(action: Action): Reach {
  return PERMISSIONS[action].reach;
}

/**
 * Whether `actor` may do `action` to `thing`: null for yes. A foreign agency is told first, whatever the role, so that
 * the answer for a thing of another agency never depends on whether it exists. A thing of an agency below is not foreign
 * to those above who may act for it; to everyone else there it is.
 */
export function can<A extends Action>(actor: Actor, action: A, thing: Thing<A>, now = new Date()): Denial | null {
  const permission: Permission = PERMISSIONS[action];
  const standing = standingAt(actor, permission, thing.agencyId);
  if (!standing) return 'foreign_agency';
  if (!standing.some((role) => permission.roles.includes(role))) return 'role_required';
  if (thing.officerId === actor.id) return 'oneself';
  if (thing.conflictedIds?.includes(actor.id)) return 'conflict_of_interest';
  const decides = permission.decides ?? permission.reach === 'more';
  if (decides && thing.authorIds?.includes(actor.id) !== false) return 'own_work';
  if (permission.reach === 'more' && !isFresh(actor, now)) return 'step_up_required';
  return null;
}

type Standing = readonly (Role | 'agency_key')[];

/** Who grants roles must never see or decide cases, so an administrator's other roles count for nothing. */
function standingOf(actor: Actor): Standing {
  if (actor.kind === 'agency_key') return ['agency_key'];
  return actor.roles.includes('administrator') ? ['administrator'] : actor.roles;
}

/** The roles that count at an agency: all of them at one's own, below it those alone that reach down; null where it is foreign. */
function standingAt(actor: Actor, { above = ['verifier'] }: Permission, agencyId: string): Standing | null {
  const standing = standingOf(actor);
  if (agencyId === actor.agencyId) return standing;
  if (actor.kind !== 'officer' || !actor.belowIds.includes(agencyId)) return null;
  const reaching = standing.filter((role) => above.some((one) => one === role));
  return reaching.length > 0 ? reaching : null;
}

function isFresh(actor: Actor, now: Date): boolean {
  return actor.kind === 'officer' && isSteppedUp(actor, now);
}

/**
 * Demands that `actor` may do `action` to `thing`.
 * @param notFound what a thing that does not exist is refused with, e.g. the same `case_not_found`: another agency's thing
 *   gets it too, word for word, so that its existence does not show.
 * @throws Refusal `forbidden` (role), `own_access` (oneself), `conflict_of_interest`, `verifier_is_author` (own work),
 *   `step_up_required` or `notFound` (foreign agency).
 */
export function authorize<A extends Action>(
  actor: Actor,
  action: A,
  thing: Thing<A>,
  notFound: Refusal = forbidden(action),
): void {
  const denial = can(actor, action, thing);
  if (denial === null) return;
  throw denial === 'foreign_agency' ? notFound : refusalOf(denial, action);
}

/** Demands a fresh proof of who they are, for what an officer does to their own access. @throws Refusal `step_up_required` */
export function demandStepUp(actor: OfficerActor, now = new Date()): void {
  if (!isSteppedUp(actor, now)) throw stepUpRequired();
}

const NAMED: Readonly<Record<Role, string>> = {
  liaison: 'a liaison',
  verifier: 'a verifier',
  analyst: 'an analyst',
  administrator: 'an administrator',
};

function refusalOf(denial: Exclude<Denial, 'foreign_agency'>, action: Action): Refusal<AccessRefusal> {
  switch (denial) {
    case 'role_required':
      return forbidden(action);
    case 'oneself':
      return new Refusal('own_access', 'Nobody changes their own access. Ask another administrator.');
    case 'conflict_of_interest':
      return new Refusal('conflict_of_interest', 'You have a declared conflict of interest. Hand it to a colleague.');
    case 'own_work':
      return new Refusal('verifier_is_author', 'You authored a part of this. Another officer must decide it.');
    case 'step_up_required':
      return stepUpRequired();
  }
}

function stepUpRequired(): Refusal<AccessRefusal> {
  const detail = 'Confirm who you are with your password (POST /v1/session/step-up), then repeat the request.';
  return new Refusal('step_up_required', detail, { withinS: STEP_UP_S });
}

function forbidden(action: Action): Refusal<AccessRefusal> {
  const takers = PERMISSIONS[action].roles.map((role) => (role === 'agency_key' ? 'an agency key' : NAMED[role]));
  const detail = `Your roles (GET /v1/session) do not include this act: it takes ${takers.join(' or ')}.`;
  return new Refusal('forbidden', detail, { action });
}
