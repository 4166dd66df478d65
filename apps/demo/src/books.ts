import type { WaveBooks } from './ledger.ts';

/** The whole night in numbers: the last line of the demo. */
export interface Books {
  readonly devices: number;
  readonly oracleAudience: number;
  readonly targeted: number;
  readonly withheld: number;
  readonly accepted: number;
  readonly unregistered: number;
  readonly rejected: number;
  readonly expired: number;
  readonly stopped: number;
  readonly unknown: number;
  readonly simulatorAccepted: number;
  readonly received: number;
  readonly opened: number;
  readonly forwards: number;
  readonly views: number;
  readonly sightings: number;
  readonly foundTargeted: number;
  readonly foundAccepted: number;
  readonly simulatorFoundAccepted: number;
  readonly firstPushMs: number | null;
  readonly lastPushMs: number | null;
  /** Whether the alert brought the child home, as the funnel tells. */
  readonly outcome: string;
}

export interface Check {
  readonly rule: string;
  readonly left: number;
  readonly right: number;
}

/** The rules the night's books must keep, each with both of its sides. */
export function checksOf(books: Books, ring: WaveBooks, found: WaveBooks, left: number): Check[] {
  const { accepted, unregistered, rejected, expired, stopped, unknown } = books;
  const results = accepted + unregistered + rejected + expired + stopped + unknown + ring.pending;
  const told = found.accepted + found.unregistered + found.rejected + found.expired + found.stopped + found.unknown;
  return [
    {
      rule: 'inside by PostGIS alone = targeted + withheld',
      left: books.oracleAudience,
      right: books.targeted + books.withheld,
    },
    { rule: 'targeted = sum of its results', left: books.targeted, right: results },
    { rule: 'accepted = what the simulator accepted', left: accepted, right: books.simulatorAccepted },
    {
      rule: 'told of the ending = accepted + unknown − left',
      left: books.foundTargeted,
      right: accepted + unknown - left,
    },
    { rule: 'told of the ending = sum of its results', left: books.foundTargeted, right: told + found.pending },
    {
      rule: 'endings accepted = what the simulator accepted',
      left: books.foundAccepted,
      right: books.simulatorFoundAccepted,
    },
    { rule: 'nobody is left pending', left: ring.pending + found.pending, right: 0 },
  ];
}
