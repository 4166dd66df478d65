import { chunkOf } from '../chaos/setting.ts';
import type { AllBooks } from '../harness/running-simulator.ts';
import { type Growth } from './disk.ts';
import type { Named } from './named-rows.ts';
import type { Measure, Series } from './samples.ts';
import type { Traffic } from './traffic.ts';
import { type Allowance, isFlat, type Trend, trendOf } from './trend.ts';

/** One thing that must hold. */
export interface Verdict {
  readonly what: string;
  readonly measured: string;
  readonly allowed: string;
  /** Null when the run was too short to tell. */
  readonly ok: boolean | null;
}

interface Flatness extends Allowance {
  /** The quantile that is compared. */
  readonly quantile?: number;
  /** A run shorter than this cannot tell. */
  readonly minutes: number;
}

/** What must be flat. The heap by its floor: what is left after a collection. Lag is told and not judged: it is the machine's, too. */
const FLAT: Readonly<Partial<Record<Measure, Flatness>>> = {
  'resident MB': { share: 0.05, units: 8, minutes: 15 },
  'heap MB': { share: 0.05, units: 3, quantile: 0.1, minutes: 15 },
  // Phones and visitors keep their connections between alerts: a third has to hold all plans, and several times.
  descriptors: { share: 0.05, units: 5, minutes: 15 },
  sockets: { share: 0.05, units: 5, minutes: 15 },
  connections: { share: 0, units: 3, minutes: 6 },
  'memory MB': { share: 0.05, units: 0.5, minutes: 15 },
  'keys kept': { share: 0.05, units: 5, minutes: 6 },
  // Those of callers' limits live up to a quarter of an hour: so long they only add up, and that has to be the warm-up.
  'keys that expire': { share: 0.05, units: 20, minutes: 45 },
  'jobs queued': { share: 0, units: 5, minutes: 6 },
  'rows waiting': { share: 0, units: 5, minutes: 6 },
};

/** They keep the books of everything that was ever sent, and so grow. */
const BOOKKEEPERS = ['simulator', 'this program'];
/** A connection may be closed by one side while the other writes its next request. */
const UNANSWERED_SHARE = 0.001;
const KB = 1024;

/** @param minutes of traffic */
export function flatness(series: readonly Series[], minutes: number): Verdict[] {
  return series.flatMap((each) => {
    const flat = FLAT[each.measure];
    if (!flat || BOOKKEEPERS.includes(each.of)) return [];
    const trend = trendOf(each.readings, flat.quantile);
    const measured = trend ? told(trend) : 'too few readings';
    const ok = trend === null || minutes < flat.minutes ? null : isFlat(trend, flat);
    const allowed = ok === null ? `needs ${flat.minutes} min` : `+${round(flat.share * 100)} % or +${flat.units}`;
    return [{ what: `${each.of}: ${each.measure}`, measured, allowed, ok }];
  });
}

/** Every table that has grown. */
export function disk(growths: readonly Growth[], named: ReadonlyMap<string, Named>): Verdict[] {
  return growths
    .filter(({ rows, grownBytes }) => rows > 0 || grownBytes > 0)
    .sort((a, b) => b.grownBytes - a.grownBytes)
    .map(({ table, rows, grownBytes, rowBytes, explainedBytes }) => {
      const { what, most } = named.get(table) ?? { what: 'nothing that the books name', most: 0 };
      const rowsNamed = rows <= 0 ? 'no new rows' : `${count(rows)} rows for ${count(most)} ${what}`;
      return {
        what: `table ${table}`,
        measured: `+${kb(grownBytes)}: ${rowsNamed}, ${Math.round(rowBytes)} B each`,
        allowed: `+${kb(explainedBytes)}`,
        ok: rows <= most && grownBytes <= explainedBytes,
      };
    });
}

/** Of the alerts' books, and of what phones and visitors were answered. */
export function books(
  { lives, faults, answers }: Pick<Traffic, 'lives' | 'faults' | 'answers'>,
  provider: AllBooks,
  found: { readonly lostLeases: number; readonly quotaPerMinute: number; readonly deaths: readonly string[] },
): Verdict[] {
  const sum = (of: (life: Traffic['lives'][number]) => number) => lives.reduce((all, life) => all + of(life), 0);
  const { timeout, reset, malformed, aborted } = provider.unanswered;
  const bound = chunkOf(found.quotaPerMinute) * found.lostLeases + timeout + reset + malformed + aborted;
  const duplicates = sum((life) => life.duplicates);
  const others = [...answers.others].map(([status, n]) => `${n} × ${status}`);
  const offered = answers.ok + answers.gone + answers.unanswered;
  return [
    {
      what: 'alerts: their books',
      measured: `${lives.length} alerts, ${count(sum((life) => life.targeted))} asked (${sum((life) => life.topUps)} by top-up), ${faults.length} faults`,
      allowed: 'none',
      ok: lives.length > 0 && faults.length === 0,
    },
    { what: 'alerts: second copies', measured: `${duplicates}`, allowed: `${bound}`, ok: duplicates <= bound },
    {
      what: 'answers to phones and visitors',
      measured: [
        `${count(answers.ok)} of 2xx`,
        `${count(answers.gone)} × 410 after an ending`,
        `${answers.unanswered} without`,
        ...others,
      ].join(', '),
      allowed: `${UNANSWERED_SHARE * 100} % without, no others`,
      ok: others.length === 0 && answers.unanswered <= offered * UNANSWERED_SHARE,
    },
    {
      what: 'processes that ended by themselves',
      measured: `${found.deaths.length}`,
      allowed: 'none',
      ok: found.deaths.length === 0,
    },
  ];
}

/** What is told and not judged. */
export function alsoSeen(series: readonly Series[]): Verdict[] {
  return series.flatMap(({ measure, of, readings }) => {
    const trend = trendOf(readings);
    if (measure === 'written MB') {
      const written = (readings.at(-1)?.value ?? NaN) - (readings[0]?.value ?? NaN);
      return [{ what: `${of}: ${measure}`, measured: `+${round(written)} in all`, allowed: 'not judged', ok: null }];
    }
    if (!trend || measure === 'rows turned over' || (FLAT[measure] && !BOOKKEEPERS.includes(of))) return [];
    return [{ what: `${of}: ${measure}`, measured: told(trend), allowed: 'not judged', ok: null }];
  });
}

const told = ({ middle, last }: Trend) =>
  `${round(middle)} → ${round(last)}${middle > 0 ? ` (${signed((last / middle - 1) * 100)} %)` : ''}`;
const signed = (value: number) => `${value >= 0 ? '+' : '−'}${round(Math.abs(value))}`;
const round = (value: number) => Math.round(value * 10) / 10;
const count = (value: number) => value.toLocaleString('en');
const kb = (bytes: number) => `${count(Math.round(bytes / KB))} KB`;
