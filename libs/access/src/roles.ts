import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Role } from './actor.ts';

/**
 * Roles that no single person gives: with one that verifies, whoever made it up could release an alert; with one that
 * administers, make up the rest.
 */
const TWO_PERSON_ROLES: readonly Role[] = ['verifier', 'administrator'];

/** Roles asked for, split by what takes a second person. */
export interface RoleChange {
  /** What holds at once. */
  readonly now: readonly Role[];
  /** The whole set that a second person must confirm, or null when nothing is left to confirm. */
  readonly proposed: readonly Role[] | null;
}

/** From the roles an officer holds to those wanted: less holds at once, and one-person roles; the others are proposed. */
export function roleChange(held: readonly Role[], wanted: readonly Role[]): RoleChange {
  const roles = [...new Set(wanted)];
  const now = roles.filter((role) => held.includes(role) || !TWO_PERSON_ROLES.includes(role));
  return { now, proposed: now.length === roles.length ? null : roles };
}

/** What an officer may keep when another takes their place at the door: a reset could let somebody else in. */
export function suspension(held: readonly Role[]): RoleChange {
  return roleChange([], held);
}

/** Who grants roles holds no other: see can(). @throws Refusal `roles_conflict` */
export function assertRoles(roles: readonly Role[]): void {
  if (!roles.includes('administrator') || new Set(roles).size === 1) return;
  const detail = 'An administrator holds no other role. Make a second officer.';
  throw new Refusal<AccessRefusal>('roles_conflict', detail);
}
