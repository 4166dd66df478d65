import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Actor, Role } from './actor.ts';

/**
 * Who may do what. An action that is not here nobody may do. Ending an alert reaches fewer people, so any officer on the
 * case does it alone and at once; deciding a case reaches more, so it needs an officer who authored no part of it.
 */
const PERMISSIONS = {
  'case.create': ['liaison'],
  'case.read': ['liaison', 'verifier'],
  'case.edit': ['liaison'],
  'case.submit': ['liaison'],
  'case.decide': ['verifier'],
  'case.close': ['liaison', 'verifier'],
  'alert.preview': ['liaison', 'verifier'],
  'alert.end': ['liaison', 'verifier'],
  'sighting.take': ['liaison', 'verifier'],
  'sighting.read': ['liaison', 'verifier'],
  'sighting.triage': ['liaison', 'verifier'],
  'outcome.read': ['analyst', 'liaison', 'verifier'],
  'intake.post': ['agency_key'],
  'access.manage': ['administrator'],
} as const satisfies Record<string, readonly (Role | 'agency_key')[]>;

export type Action = keyof typeof PERMISSIONS;

/** Every action, for tests and documents. */
export const ACTIONS = Object.keys(PERMISSIONS) as readonly Action[];

/** What an act is done to: the agency it belongs to and, where it matters, the officers who wrote or submitted it. */
export type Thing<A extends Action> = A extends 'case.decide'
  ? { readonly agencyId: string; readonly authorIds: readonly string[] }
  : { readonly agencyId: string; readonly authorIds?: readonly string[] };

/** Why not: another agency's thing, a role the actor lacks, or a decision on the actor's own work. */
export type Denial = 'foreign_agency' | 'role_required' | 'own_work';

/**
 * Whether `actor` may do `action` to `thing`: null for yes. A foreign agency is told first, whatever the role, so that
 * the answer for a thing of another agency never depends on whether it exists.
 */
export function can<A extends Action>(actor: Actor, action: A, thing: Thing<A>): Denial | null {
  if (actor.agencyId !== thing.agencyId) return 'foreign_agency';
  const allowed: readonly string[] = PERMISSIONS[action];
  if (!standing(actor).some((role) => allowed.includes(role))) return 'role_required';
  if (action === 'case.decide' && thing.authorIds?.includes(actor.id) !== false) return 'own_work';
  return null;
}

/** Who grants roles must never see or decide cases, so an administrator's other roles count for nothing. */
function standing(actor: Actor): readonly (Role | 'agency_key')[] {
  if (actor.kind === 'agency_key') return ['agency_key'];
  return actor.roles.includes('administrator') ? ['administrator'] : actor.roles;
}

/**
 * Demands that `actor` may do `action` to `thing`.
 * @param notFound what a thing that does not exist is refused with, e.g. the same `case_not_found`: another agency's thing
 *   gets it too, word for word, so that its existence does not show.
 * @throws Refusal `forbidden` (role), `verifier_is_author` (own work) or `notFound` (foreign agency).
 */
export function authorize<A extends Action>(
  actor: Actor,
  action: A,
  thing: Thing<A>,
  notFound: Refusal = forbidden(action),
): void {
  switch (can(actor, action, thing)) {
    case 'foreign_agency':
      throw notFound;
    case 'role_required':
      throw forbidden(action);
    case 'own_work':
      throw new Refusal<AccessRefusal>(
        'verifier_is_author',
        'You wrote or submitted this case. Another officer must decide it.',
      );
    case null:
  }
}

function forbidden(action: Action): Refusal {
  return new Refusal<AccessRefusal>('forbidden', 'Your roles do not include this act.', { action });
}
