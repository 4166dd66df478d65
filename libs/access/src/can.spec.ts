import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '#platform';
import { type Actor, actorReference, type Role, ROLES } from './actor.ts';
import { type Action, ACTIONS, authorize, can } from './can.ts';

const officer = (...roles: Role[]): Actor => ({ kind: 'officer', id: 'o1', agencyId: 'a1', roles });
const key: Actor = { kind: 'agency_key', id: 'k1', agencyId: 'a1' };
const own = { agencyId: 'a1', authorIds: ['o2'] };

/** The whole matrix, written out a second time on purpose: changing a right must change this too. */
const MATRIX: Record<Role | 'agency_key', readonly Action[]> = {
  liaison: [
    'case.create',
    'case.read',
    'case.edit',
    'case.submit',
    'case.close',
    'alert.preview',
    'alert.end',
    'sighting.take',
    'sighting.read',
    'sighting.triage',
    'outcome.read',
  ],
  verifier: [
    'case.read',
    'case.decide',
    'case.close',
    'alert.preview',
    'alert.end',
    'sighting.take',
    'sighting.read',
    'sighting.triage',
    'outcome.read',
  ],
  analyst: ['outcome.read'],
  administrator: ['access.manage'],
  agency_key: ['intake.post'],
};

describe('can', () => {
  const actors = [...ROLES.map((role) => [role, officer(role)] as const), ['agency_key', key] as const];
  const cells = actors.flatMap(([role, actor]) => ACTIONS.map((action) => [role, action, actor] as const));

  it.each(cells)('%s × %s', (role, action, actor) => {
    expect(can(actor, action, own)).toBe(MATRIX[role].includes(action) ? null : 'role_required');
  });

  it('gives an officer without roles nothing', () => {
    for (const action of ACTIONS) expect(can(officer(), action, own)).toBe('role_required');
  });

  it('gives nobody an action that is not in the table', () => {
    expect(() => can(officer(...ROLES), 'case.erase' as Action, own)).toThrow();
  });

  it('lets two roles add up, but nothing beside administrator', () => {
    expect(can(officer('liaison', 'verifier'), 'case.create', own)).toBeNull();
    expect(can(officer('liaison', 'verifier'), 'case.decide', own)).toBeNull();
    expect(can(officer('administrator', 'verifier'), 'case.decide', own)).toBe('role_required');
    expect(can(officer('administrator', 'liaison'), 'case.read', own)).toBe('role_required');
    expect(can(officer('administrator', 'liaison'), 'access.manage', own)).toBeNull();
  });

  it('never lets an author decide, and takes unstated authors for the actor', () => {
    expect(can(officer('verifier'), 'case.decide', { agencyId: 'a1', authorIds: ['o2', 'o1'] })).toBe('own_work');
    expect(can(officer('verifier'), 'case.decide', { agencyId: 'a1' } as never)).toBe('own_work');
    expect(can(officer('verifier'), 'case.close', { agencyId: 'a1', authorIds: ['o1'] })).toBeNull();
  });

  it('answers alike for every thing of another agency', () => {
    fc.assert(
      fc.property(
        fc.subarray([...ROLES]),
        fc.constantFrom(...ACTIONS),
        fc.array(fc.constantFrom('o1', 'o2')),
        (roles, action, authorIds) => {
          expect(can(officer(...roles), action, { agencyId: 'a2', authorIds })).toBe('foreign_agency');
        },
      ),
    );
  });
});

describe('authorize', () => {
  const gone = new Refusal('case_not_found', 'No such case.');
  const codeOf = (actor: Actor, action: Action, thing: { agencyId: string; authorIds: string[] }) => {
    try {
      authorize(actor, action, thing, gone);
      return null;
    } catch (error) {
      return (error as Refusal).code;
    }
  };

  it('names each denial, and hides what is foreign behind the given code', () => {
    expect(codeOf(officer('liaison'), 'case.read', own)).toBeNull();
    expect(codeOf(officer('analyst'), 'case.read', own)).toBe('forbidden');
    expect(codeOf(officer('verifier'), 'case.decide', { agencyId: 'a1', authorIds: ['o1'] })).toBe(
      'verifier_is_author',
    );
    expect(codeOf(officer('analyst'), 'case.read', { agencyId: 'a2', authorIds: [] })).toBe('case_not_found');
  });
});

it('actorReference holds a reference and no name', () => {
  expect(actorReference(officer())).toBe('officer:o1');
  expect(actorReference(key)).toBe('agency_key:k1');
});
