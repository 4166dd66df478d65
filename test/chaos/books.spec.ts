import { describe, expect, it } from '@jest/globals';
import { type Accounts, audit } from './books.ts';

const arrival = (token: string, more: Partial<Accounts['arrivals'][number]> = {}) => ({
  token,
  kind: 'alert',
  version: 1,
  collapseKey: 'A',
  at: 0,
  answered: true,
  ...more,
});

const booked = (id: number, result: string, audience: 'ring' | 'notified' = 'ring') => ({ id, result, audience });

/** Two phones, both asked and reached. */
const accounts = (more: Partial<Accounts> = {}): Accounts => ({
  alertId: 'A',
  audience: new Map([
    [1, 'one'],
    [2, 'two'],
  ]),
  booked: [booked(1, 'a'), booked(2, 'a')],
  arrivals: [arrival('one'), arrival('two')],
  untouched: true,
  ...more,
});

describe('the books of an alert', () => {
  it('balance when everyone inside was asked and reached once', () => {
    expect(audit(accounts())).toEqual({ targeted: 2, lost: [], duplicates: 0, unreplaceable: 0 });
  });

  it.each<[string, Partial<Accounts>, RegExp]>([
    ['somebody inside is not in the ledger', { booked: [booked(1, 'a')] }, /device 2 is 0 times/],
    ['somebody is twice in the ledger', { booked: [booked(1, 'a'), booked(2, 'a'), booked(2, 'a')] }, /2 is 2 times/],
    ['somebody is left pending', { booked: [booked(1, 'a'), booked(2, '~')] }, /2 has no terminal result/],
    ['accepted was never', { arrivals: [arrival('one')] }, /device 2 is booked as accepted and was never/],
    [
      'accepted was never told so',
      { arrivals: [arrival('one'), arrival('two', { answered: false })] },
      /2 is booked as accepted/,
    ],
    [
      'a doubt was left though the alert went on',
      { booked: [booked(1, 'a'), booked(2, 'k')], arrivals: [arrival('one')] },
      /device 2 is left in doubt/,
    ],
    ['a phone was reached and is booked as stopped', { booked: [booked(1, 'a'), booked(2, 's')] }, /2 was reached/],
    [
      'somebody outside is in the ledger',
      { booked: [booked(1, 'a'), booked(2, 'a'), booked(3, 'u')] },
      /3 is in the ledger and not inside/,
    ],
    [
      'somebody outside was reached',
      { arrivals: [arrival('one'), arrival('two'), arrival('three')] },
      /three was reached and is not inside/,
    ],
    [
      'who was asked is told no ending',
      { booked: [booked(1, 'a'), booked(2, 'a'), booked(1, 'u', 'notified')] },
      /device 2 was asked \(a\) and is told no ending/,
    ],
    [
      'an ending is booked and was not',
      { booked: [booked(1, 'a'), booked(2, 'u'), booked(1, 'a', 'notified')], arrivals: [arrival('one')] },
      /1 is booked as told of the ending/,
    ],
  ])('tell that %s', (_what, more, words) => {
    const { lost } = audit(accounts(more));
    expect(lost).toEqual([expect.stringMatching(words)]);
  });

  it('leave a doubt open where the alert was stopped', () => {
    const stopped = { booked: [booked(1, 'a'), booked(2, 'k')], arrivals: [arrival('one')], untouched: false };
    expect(audit(accounts(stopped)).lost).toEqual([]);
  });

  it('count copies of the same version, and those that nothing replaces', () => {
    const arrivals = [
      arrival('one'),
      arrival('one', { answered: false }),
      arrival('one', { version: 2, kind: 'update' }),
      arrival('two'),
      arrival('two', { collapseKey: null }),
    ];
    expect(audit(accounts({ arrivals }))).toMatchObject({ lost: [], duplicates: 2, unreplaceable: 1 });
  });
});
