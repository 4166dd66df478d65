/** The simulator's own books, kept without knowing anything of the sender's. */
import { KINDS, type Kind, type Payload } from './payload.ts';
import type { Arrival } from './phone-book.ts';

/** How a message ended that was neither accepted, nor validated, nor answered with an error. */
export type Unanswered = 'timeout' | 'reset' | 'malformed' | 'refused' | 'aborted' | 'inFlight';

const PHONE_COUNTS = [
  'offline',
  'received',
  'shown',
  'silent',
  'outside',
  'replaced',
  'ignoredStale',
  'opened',
  'forwards',
  'views',
  'sightings',
  'apiErrors',
] as const;
export type PhoneCounts = Record<(typeof PHONE_COUNTS)[number], number>;

interface KindCounts {
  /** Messages answered 200. */
  accepted: number;
  /** Messages that reached their phone although the sender got no usable answer. */
  deliveredUnanswered: number;
  /** Tokens that were sent at least one. */
  distinctTokens: number;
  /** Messages whose token had the same version of the alert before. */
  duplicates: number;
  /** Epoch milliseconds; null before the first. */
  firstAcceptedAt: number | null;
  lastAcceptedAt: number | null;
}

interface BandCounts {
  readonly band: number;
  accepted: number;
  /** Milliseconds since the first accepted message of the alert and kind. */
  firstMs: number;
  lastMs: number;
}

export interface AlertStats extends KindCounts {
  readonly alert: string;
  readonly byKind: Partial<Record<Kind, KindCounts>>;
  readonly phones: PhoneCounts;
}

export interface Stats extends KindCounts {
  readonly requests: number;
  /** Answered 200 to `validate_only`. */
  readonly validated: number;
  readonly byError: Readonly<Record<string, number>>;
  readonly unanswered: Readonly<Record<Unanswered, number>>;
  readonly byKind: Partial<Record<Kind, KindCounts>>;
  readonly sessions: number;
  readonly openSessions: number;
  readonly goaways: number;
  /** Most streams seen open at once on one session. */
  readonly maxConcurrentStreams: number;
  readonly phones: PhoneCounts;
}

export interface Timeline {
  readonly alert: string;
  readonly kind: Kind;
  readonly firstAcceptedAt: number | null;
  /** Ascending by band. */
  readonly bands: readonly BandCounts[];
  /** The furthest a message fell behind: most bands by which one came after a farther one. */
  readonly maxBandInversion: number;
}

interface KindTally extends KindCounts {
  readonly bands: Map<number, BandCounts>;
  farthest: number;
  maxBandInversion: number;
}

class AlertTally {
  readonly all: KindCounts = noKindCounts();
  readonly kinds = new Map<number, KindTally>();
  readonly phones = noPhoneCounts();

  kind(kind: number): KindTally {
    let tally = this.kinds.get(kind);
    if (tally === undefined) {
      tally = { ...noKindCounts(), bands: new Map(), farthest: -1, maxBandInversion: 0 };
      this.kinds.set(kind, tally);
    }
    return tally;
  }
}

export class Tally {
  requests = 0;
  validated = 0;
  sessions = 0;
  openSessions = 0;
  goaways = 0;
  maxConcurrentStreams = 0;
  readonly byError: Record<string, number> = {};
  readonly unanswered: Record<Unanswered, number> = {
    timeout: 0,
    reset: 0,
    malformed: 0,
    refused: 0,
    aborted: 0,
    inFlight: 0,
  };
  readonly #alerts = new Map<string, AlertTally>();
  readonly #total = new AlertTally();

  error(code: string): void {
    this.byError[code] = (this.byError[code] ?? 0) + 1;
  }

  /** Counts a message that its phone will get; `answered` when the sender was told so. */
  delivered(payload: Payload, arrival: Arrival, answered: boolean, nowMs: number): void {
    const { duplicate } = arrival;
    const alert = this.#alert(payload.alert);
    const ofKind = alert.kind(payload.kind);
    add(this.#total.all, answered, duplicate, arrival.firstOfAll, nowMs);
    add(this.#total.kind(payload.kind), answered, duplicate, arrival.firstOfKind, nowMs);
    add(alert.all, answered, duplicate, arrival.firstOfAlert, nowMs);
    add(ofKind, answered, duplicate, arrival.firstOfAlertKind, nowMs);
    if (answered) addBand(ofKind, payload.band, nowMs);
  }

  /** Counts something a phone did, in all and for the alert. */
  phone(alert: string, what: keyof PhoneCounts, count = 1): void {
    this.#total.phones[what] += count;
    this.#alert(alert).phones[what] += count;
  }

  /** Sightings posted or being posted for the alert. */
  phoneCount(alert: string, what: keyof PhoneCounts): number {
    return this.#alerts.get(alert)?.phones[what] ?? 0;
  }

  stats(): Stats {
    return {
      requests: this.requests,
      ...this.#total.all,
      validated: this.validated,
      byError: { ...this.byError },
      unanswered: { ...this.unanswered },
      byKind: byKind(this.#total),
      sessions: this.sessions,
      openSessions: this.openSessions,
      goaways: this.goaways,
      maxConcurrentStreams: this.maxConcurrentStreams,
      phones: { ...this.#total.phones },
    };
  }

  /** The books of one alert; all zero for an alert never seen. */
  alertStats(alert: string): AlertStats {
    const tally = this.#alerts.get(alert) ?? new AlertTally();
    return { alert, ...tally.all, byKind: byKind(tally), phones: { ...tally.phones } };
  }

  timeline(alert: string, kind: Kind): Timeline {
    const tally = this.#alerts.get(alert)?.kinds.get(KINDS.indexOf(kind));
    const bands = [...(tally?.bands.values() ?? [])].sort((a, b) => a.band - b.band).map((band) => ({ ...band }));
    const { firstAcceptedAt = null, maxBandInversion = 0 } = tally ?? {};
    return { alert, kind, firstAcceptedAt, bands, maxBandInversion };
  }

  #alert(alert: string): AlertTally {
    let tally = this.#alerts.get(alert);
    if (tally === undefined) {
      tally = new AlertTally();
      this.#alerts.set(alert, tally);
    }
    return tally;
  }
}

function add(tally: KindCounts, answered: boolean, duplicate: boolean, first: boolean, nowMs: number): void {
  if (duplicate) tally.duplicates++;
  if (first) tally.distinctTokens++;
  if (!answered) {
    tally.deliveredUnanswered++;
    return;
  }
  tally.accepted++;
  tally.firstAcceptedAt ??= nowMs;
  tally.lastAcceptedAt = nowMs;
}

function addBand(tally: KindTally, band: number, nowMs: number): void {
  if (band < 0) return;
  const sinceFirst = nowMs - (tally.firstAcceptedAt ?? nowMs);
  const counts = tally.bands.get(band);
  if (counts === undefined) tally.bands.set(band, { band, accepted: 1, firstMs: sinceFirst, lastMs: sinceFirst });
  else {
    counts.accepted++;
    counts.lastMs = sinceFirst;
  }
  tally.maxBandInversion = Math.max(tally.maxBandInversion, tally.farthest - band);
  tally.farthest = Math.max(tally.farthest, band);
}

function byKind(tally: AlertTally): Partial<Record<Kind, KindCounts>> {
  const counts: Partial<Record<Kind, KindCounts>> = {};
  for (const [index, { bands: _bands, farthest: _farthest, maxBandInversion: _inversion, ...kind }] of tally.kinds) {
    counts[KINDS[index] ?? 'other'] = kind;
  }
  return counts;
}

function noKindCounts(): KindCounts {
  return {
    accepted: 0,
    deliveredUnanswered: 0,
    distinctTokens: 0,
    duplicates: 0,
    firstAcceptedAt: null,
    lastAcceptedAt: null,
  };
}

function noPhoneCounts(): PhoneCounts {
  return Object.fromEntries(PHONE_COUNTS.map((name) => [name, 0])) as PhoneCounts;
}
