import type { Arrival } from '../harness/running-simulator.ts';
import type { Audience, Booked } from './ledger.ts';

const TERMINAL = /^[auresk]$/;

/** What an alert's ledger must answer for. */
export interface Accounts {
  readonly alertId: string;
  readonly audience: Audience;
  readonly booked: readonly Booked[];
  /** By the simulator. */
  readonly arrivals: readonly Arrival[];
  /**
   * Whether the alert went on to its end: then who is `unknown` must have reached the phone, for doubt is sent again. What was
   * under way at a stop or an ending may have got lost.
   */
  readonly untouched: boolean;
}

export interface Findings {
  readonly targeted: number;
  /** Each is a broken promise, in words. */
  readonly lost: readonly string[];
  /** Copies beyond the first of the same version to the same phone. */
  readonly duplicates: number;
  /** Copies that would stand beside the first on the phone. */
  readonly unreplaceable: number;
}

/** Compares the ledger with what the phones were sent, recipient by recipient. */
export function audit(accounts: Accounts): Findings {
  const { audience, booked, arrivals } = accounts;
  const ring = booked.filter((each) => each.audience === 'ring');
  const told = arrivals.filter(({ kind }) => kind === 'alert' || kind === 'update');
  const lost = [...asked(accounts, ring, told), ...endings(accounts, booked)];
  return { targeted: audience.size, lost, ...copies(accounts.alertId, arrivals) };
}

function* asked({ audience, untouched }: Accounts, ring: readonly Booked[], told: readonly Arrival[]) {
  const results = Map.groupBy(ring, ({ id }) => id);
  const reached = new Set(told.map(({ token }) => token));
  const answered = new Set(told.filter((each) => each.answered).map(({ token }) => token));
  for (const [id, token] of audience) {
    const places = results.get(id) ?? [];
    const [result = 'none'] = places.map((place) => place.result);
    if (places.length !== 1) yield `device ${id} is ${places.length} times in the ledger`;
    else if (!TERMINAL.test(result)) yield `device ${id} has no terminal result`;
    else if (result === 'a' && !answered.has(token)) yield `device ${id} is booked as accepted and was never`;
    else if (result === 'k' && untouched && !reached.has(token)) yield `device ${id} is left in doubt and got nothing`;
    else if (reached.has(token) && !'ak'.includes(result)) yield `device ${id} was reached and is booked as ${result}`;
  }
  for (const id of results.keys()) if (!audience.has(id)) yield `device ${id} is in the ledger and not inside`;
  const tokens = new Set(audience.values());
  for (const token of reached) if (!tokens.has(token)) yield `${token} was reached and is not inside`;
}

/** Who was told an ending is who was asked: accepted or in doubt, once each. */
function* endings({ audience, arrivals }: Accounts, booked: readonly Booked[]) {
  const notified = booked.filter((each) => each.audience === 'notified');
  if (notified.length === 0) return;
  const places = Map.groupBy(notified, ({ id }) => id);
  const ended = new Set(arrivals.filter(({ kind }) => kind !== 'alert').map(({ token }) => token));
  for (const { id, result } of booked.filter((each) => each.audience === 'ring' && 'ak'.includes(each.result))) {
    const [told] = places.get(id) ?? [];
    if (!told) yield `device ${id} was asked (${result}) and is told no ending`;
    else if (!TERMINAL.test(told.result)) yield `device ${id} has no terminal result for the ending`;
    else if (told.result === 'a' && !ended.has(audience.get(id) ?? ''))
      yield `device ${id} is booked as told of the ending and was not`;
  }
}

function copies(alertId: string, arrivals: readonly Arrival[]): Pick<Findings, 'duplicates' | 'unreplaceable'> {
  const byMessage = Map.groupBy(arrivals, ({ token, version }) => `${token} ${version}`);
  const repeated = [...byMessage.values()].filter((same) => same.length > 1);
  return {
    duplicates: repeated.reduce((sum, same) => sum + same.length - 1, 0),
    unreplaceable: repeated.flat().filter(({ collapseKey }) => collapseKey !== alertId).length,
  };
}
