import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '#platform';
import { type Actor, actorReference, type OfficerActor, type Role, ROLES } from './actor.ts';
import { type Action, ACTIONS, authorize, can, demandStepUp, type Reach, reachOf, type Thing } from './can.ts';
import { STEP_UP_S } from './step-up.ts';

const NOW = new Date('2026-03-01T03:00:00Z');
const officer = (...roles: Role[]): OfficerActor => ({
  kind: 'officer',
  id: 'o1',
  agencyId: 'a1',
  belowIds: ['b1', 'c1'],
  roles,
  sessionId: 's1',
  steppedUpAt: NOW,
});
const key: Actor = { kind: 'agency_key', id: 'k1', agencyId: 'a1' };
const own = { agencyId: 'a1', authorIds: ['o2'] };
const ask = (actor: Actor, action: Action, thing: Thing<'case.decide'> = own) => can(actor, action, thing, NOW);

/** The whole matrix, written out a second time on purpose: changing a right must change this too. */
const MATRIX: Record<Role | 'agency_key', readonly Action[]> = {
  liaison: [
    ...(['case.create', 'case.read', 'case.edit', 'case.submit', 'case.conflict', 'case.close'] as const),
    ...(['alert.preview', 'alert.change.propose', 'alert.hold', 'alert.stop', 'alert.photo_down'] as const),
    ...([
      'alert.ladder_end',
      'alert.end',
      'sighting.take',
      'sighting.read',
      'sighting.triage',
      'outcome.read',
    ] as const),
  ],
  verifier: [
    ...(['case.read', 'case.conflict', 'case.conflict.name', 'case.decide', 'case.close', 'alert.preview'] as const),
    ...(['alert.change.propose', 'alert.change.decide', 'alert.hold', 'alert.stop', 'alert.photo_down'] as const),
    ...([
      'alert.ladder_end',
      'alert.end',
      'ask.read',
      'ask.agree',
      'ask.refuse',
      'sighting.take',
      'sighting.read',
    ] as const),
    ...(['sighting.triage', 'outcome.read', 'review.read', 'review.settle', 'audit.read'] as const),
    ...(['retention.read', 'officer.freeze', 'agency.freeze'] as const),
    ...(['access.read_grants', 'access.confirm', 'access.refuse'] as const),
  ],
  analyst: ['outcome.read'],
  administrator: [
    ...(['audit.read', 'retention.read', 'officer.freeze', 'officer.thaw', 'agency.freeze', 'agency.thaw'] as const),
    ...(['access.manage', 'access.grant', 'access.read_grants', 'access.confirm', 'access.refuse'] as const),
  ],
  agency_key: ['intake.post'],
};

/** Every action's class, a second time on purpose; what is not here reaches nobody. */
const REACHING: Record<Exclude<Reach, 'none'>, readonly Action[]> = {
  more: [
    ...(['case.decide', 'alert.change.decide', 'ask.agree', 'officer.thaw', 'agency.thaw'] as const),
    ...(['access.grant', 'access.confirm'] as const),
  ],
  fewer: [
    ...(['case.close', 'alert.hold', 'alert.stop', 'alert.photo_down', 'alert.end', 'ask.refuse'] as const),
    'alert.ladder_end',
    ...(['officer.freeze', 'agency.freeze', 'access.refuse', 'case.conflict.name'] as const),
  ],
};

/** What the authors of a thing may not do to it. */
const DECISIONS: readonly Action[] = [...REACHING.more, 'review.settle'];

/** What someone of an agency above may do, beside its verifiers. */
const FROM_ABOVE: readonly Action[] = [
  'officer.thaw',
  'agency.thaw',
  'access.read_grants',
  'access.confirm',
  'access.refuse',
];

describe('can', () => {
  const actors = [...ROLES.map((role) => [role, officer(role)] as const), ['agency_key', key] as const];
  const cells = actors.flatMap(([role, actor]) => ACTIONS.map((action) => [role, action, actor] as const));

  it.each(cells)('%s × %s', (role, action, actor) => {
    expect(ask(actor, action)).toBe(MATRIX[role].includes(action) ? null : 'role_required');
  });

  it.each(ACTIONS)('%s has the class that stands here', (action) => {
    const reach = REACHING.more.includes(action) ? 'more' : REACHING.fewer.includes(action) ? 'fewer' : 'none';
    expect(reachOf(action)).toBe(reach);
  });

  it('gives an officer without roles nothing', () => {
    for (const action of ACTIONS) expect(ask(officer(), action)).toBe('role_required');
  });

  it('gives nobody an action that is not in the table', () => {
    expect(() => ask(officer(...ROLES), 'case.erase' as Action)).toThrow();
  });

  it('lets two roles add up, but nothing beside administrator', () => {
    expect(ask(officer('liaison', 'verifier'), 'case.create')).toBeNull();
    expect(ask(officer('liaison', 'verifier'), 'case.decide')).toBeNull();
    for (const role of ['liaison', 'verifier', 'analyst'] as const) {
      for (const action of ACTIONS) {
        expect(ask(officer('administrator', role), action)).toBe(ask(officer('administrator'), action));
      }
    }
  });

  it('never lets an author decide, and takes unstated authors for the actor', () => {
    const everyone = officer('liaison', 'verifier');
    for (const actor of [everyone, officer('administrator')]) {
      for (const action of ACTIONS.filter((one) => ask(actor, one) === null)) {
        const denial = DECISIONS.includes(action) ? 'own_work' : null;
        expect([action, ask(actor, action, { agencyId: 'a1', authorIds: ['o2', 'o1'] })]).toEqual([action, denial]);
        expect([action, ask(actor, action, { agencyId: 'a1' } as never)]).toEqual([action, denial]);
      }
    }
  });

  it('asks for a fresh proof of who they are where more is reached, and nowhere else', () => {
    const late = (seconds: number, actor: OfficerActor) => ({
      ...actor,
      steppedUpAt: new Date(NOW.getTime() - seconds * 1000),
    });
    for (const actor of [officer('liaison', 'verifier'), officer('administrator')]) {
      for (const action of ACTIONS.filter((one) => ask(actor, one) === null)) {
        expect(ask(late(STEP_UP_S - 1, actor), action)).toBeNull();
        const denial = reachOf(action) === 'more' ? 'step_up_required' : null;
        expect([action, ask(late(STEP_UP_S, actor), action)]).toEqual([action, denial]);
      }
    }
  });

  it('bars a declared conflict from every action, and nobody else', () => {
    for (const actor of [officer('liaison', 'verifier'), officer('administrator'), officer('analyst')]) {
      for (const action of ACTIONS.filter((one) => ask(actor, one) === null)) {
        expect(ask(actor, action, { ...own, conflictedIds: ['o3', 'o1'] })).toBe('conflict_of_interest');
        expect(ask(actor, action, { ...own, conflictedIds: ['o3'] })).toBeNull();
      }
    }
  });

  it('lets nobody act on their own access', () => {
    for (const actor of [officer('verifier'), officer('administrator')]) {
      for (const action of ACTIONS.filter((one) => ask(actor, one) === null)) {
        expect(ask(actor, action, { ...own, officerId: 'o1' })).toBe('oneself');
        expect(ask(actor, action, { ...own, officerId: 'o2' })).toBeNull();
      }
    }
  });

  it('reaches agencies below for verifiers, and for administrators where they undo a freeze or a grant', () => {
    for (const role of ROLES) {
      for (const action of ACTIONS) {
        const inside = role === 'verifier' || (role === 'administrator' && FROM_ABOVE.includes(action));
        const answer = ask(officer(role), action, { agencyId: 'c1', authorIds: ['o2'] });
        const expected = inside ? ask(officer(role), action) : 'foreign_agency';
        // A verifier's reach is a verifier's: what only administrators above may do, they may not.
        const above = FROM_ABOVE.includes(action) && role === 'verifier' && !MATRIX.verifier.includes(action);
        expect([role, action, answer]).toEqual([role, action, above ? 'foreign_agency' : expected]);
      }
    }
    expect(ask(officer('administrator', 'verifier'), 'case.read', { agencyId: 'b1', authorIds: [] })).toBe(
      'foreign_agency',
    );
  });

  it('reaches down with the roles alone that reach down, whatever others come with them', () => {
    const below = { agencyId: 'c1', authorIds: ['o2'] };
    for (const action of ACTIONS) {
      const all = ask(officer('liaison', 'verifier', 'analyst'), action, below);
      expect([action, all]).toEqual([action, ask(officer('verifier'), action, below)]);
    }
    expect(ask(officer('liaison', 'verifier'), 'case.edit', below)).toBe('role_required');
  });

  it('answers alike for every thing of another agency, and for every thing above', () => {
    fc.assert(
      fc.property(
        fc.subarray([...ROLES]),
        fc.constantFrom(...ACTIONS),
        fc.array(fc.constantFrom('o1', 'o2')),
        fc.array(fc.constantFrom('o1', 'o2')),
        fc.option(fc.constantFrom('o1', 'o2'), { nil: undefined }),
        fc.date({ noInvalidDate: true }),
        (roles, action, authorIds, conflictedIds, officerId, steppedUpAt) => {
          const actor = { ...officer(...roles), steppedUpAt };
          const thing = { agencyId: 'a2', authorIds, conflictedIds, ...(officerId ? { officerId } : {}) };
          expect(ask(actor, action, thing)).toBe('foreign_agency');
        },
      ),
    );
  });
});

describe('authorize', () => {
  const gone = new Refusal('case_not_found', 'No such case.');
  const codeOf = (actor: Actor, action: Action, thing: Thing<'case.decide'>) => {
    try {
      authorize(actor, action, thing, gone);
      return null;
    } catch (error) {
      return (error as Refusal).code;
    }
  };
  const now = (actor: OfficerActor): OfficerActor => ({ ...actor, steppedUpAt: new Date() });

  it('names each denial, and hides what is foreign behind the given code', () => {
    const verifier = now(officer('verifier'));
    expect(codeOf(officer('liaison'), 'case.read', own)).toBeNull();
    expect(codeOf(verifier, 'case.decide', own)).toBeNull();
    expect(codeOf(officer('analyst'), 'case.read', own)).toBe('forbidden');
    expect(codeOf(verifier, 'case.decide', { agencyId: 'a1', authorIds: ['o1'] })).toBe('verifier_is_author');
    expect(codeOf(officer('verifier'), 'case.decide', own)).toBe('step_up_required');
    expect(codeOf(verifier, 'case.read', { ...own, conflictedIds: ['o1'] })).toBe('conflict_of_interest');
    expect(codeOf(verifier, 'officer.freeze', { ...own, officerId: 'o1' })).toBe('own_access');
    expect(codeOf(officer('analyst'), 'case.read', { agencyId: 'a2', authorIds: [] })).toBe('case_not_found');
  });
});

it('demandStepUp takes a fresh proof alone', () => {
  expect(() => demandStepUp(officer(), NOW)).not.toThrow();
  expect(() => demandStepUp(officer(), new Date(NOW.getTime() + STEP_UP_S * 1000))).toThrow('step_up_required');
});

it('actorReference holds a reference and no name', () => {
  expect(actorReference(officer())).toBe('officer:o1');
  expect(actorReference(key)).toBe('agency_key:k1');
});
