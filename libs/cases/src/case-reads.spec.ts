import { describe, expect, it } from '@jest/globals';
import type { OfficerActor, Role } from '#access';
import { type ReadCase, whyOf } from './case-reads.service.ts';

const officer = (id: string, ...roles: Role[]): OfficerActor => ({
  ...{ kind: 'officer', id, agencyId: 'a', belowIds: [], roles },
  ...{ sessionId: 's', steppedUpAt: new Date(0) },
});
const held: ReadCase = { id: 'c', agencyId: 'a', authorIds: ['writer'], verifierId: 'judge', state: 'active' };
const submitted: ReadCase = { ...held, verifierId: null, state: 'submitted' };

describe('why an officer reads a case', () => {
  it('is what ties them to it, whatever they state', () => {
    expect(whyOf(officer('writer', 'liaison'), held, { action: 'case.read' }, 'other')).toBe('author');
    expect(whyOf(officer('judge', 'verifier'), held, { action: 'case.read' })).toBe('verifier');
    expect(whyOf(officer('third', 'verifier'), submitted, { action: 'case.read' })).toBe('decision');
    const proposal = { action: 'alert.change.list', waits: true };
    expect(whyOf(officer('third', 'verifier'), held, proposal)).toBe('decision');
    expect(whyOf(officer('third', 'liaison'), held, proposal)).toBe('unstated');
    expect(whyOf({ kind: 'agency_key', id: 'k', agencyId: 'a' }, held, { action: 'case.read' })).toBe('duty');
  });

  it('is what they state where nothing ties them to it, and unstated without a reason that we know', () => {
    const third = officer('third', 'liaison');
    expect(whyOf(third, held, { action: 'case.read' }, 'handover')).toBe('handover');
    expect(whyOf(third, submitted, { action: 'case.read' }, 'tip')).toBe('tip');
    for (const stated of [undefined, null, '', 'author', 'curiosity']) {
      expect(whyOf(third, held, { action: 'case.read' }, stated)).toBe('unstated');
    }
  });

  it('is an analyst’s duty where it tells of no person', () => {
    expect(whyOf(officer('third', 'analyst'), held, { action: 'outcome.read' })).toBe('duty');
    expect(whyOf(officer('third', 'liaison'), held, { action: 'outcome.read' })).toBe('unstated');
  });
});
