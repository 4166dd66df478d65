/** The phones: what each does with a message that reached it, decided once and for all by its token and the seed. */
import { KINDS } from './payload.ts';
import type { Delivery, PhoneBook } from './phone-book.ts';
import { Crowd } from './crowd.ts';
import { DelayWheel } from './delay-wheel.ts';
import { fixedChance, type Random } from './random.ts';
import type { DelayRange, PhoneSettings } from './settings.ts';
import type { Tally } from './tally.ts';

/** Something a phone does later: an entry of the book times three plus the act, a message's arrival, or a friend's turn. */
type Later = number | Delivery | (() => void);

const ACTS = { open: 0, forward: 1, sight: 2 } as const;
const ACT_COUNT = 3;
const ALERT = KINDS.indexOf('alert');
const PURPOSE = { receive: 21, outside: 22, open: 23, forward: 24, duplicate: 25 } as const;

export interface PhonesOptions {
  readonly book: PhoneBook;
  readonly tally: Tally;
  readonly settings: PhoneSettings;
  readonly random: Random;
  readonly seed: number;
  /** Base URL of the api; undefined: phones only count. */
  readonly apiUrl: string | undefined;
}

export class Phones {
  readonly #book: PhoneBook;
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #seed: number;
  readonly #wheel = new DelayWheel<Later>((later) => this.#act(later));
  readonly #crowd: Crowd;
  readonly #sighted = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  #settings: PhoneSettings;

  constructor(options: PhonesOptions) {
    this.#book = options.book;
    this.#tally = options.tally;
    this.#random = options.random;
    this.#seed = options.seed;
    this.#settings = options.settings;
    this.#crowd = new Crowd({
      ...options,
      later: (range, act) => this.#wheel.add(this.#draw(range), act),
      settled: () => this.#checkIdle(),
    });
  }

  /** Everything still to be done: deliveries, acts, posts under way. */
  get pending(): number {
    return this.#wheel.size + this.#crowd.pending;
  }

  configure(settings: PhoneSettings): void {
    this.#settings = settings;
    this.#crowd.configure(settings);
  }

  /** Sends the message on its way to the phone. */
  deliver(delivery: Delivery): void {
    const [hi, lo] = this.#book.phoneIdentity(delivery.entry);
    if (fixedChance(hi, lo, PURPOSE.receive, this.#seed) >= this.#settings.receiveRate) {
      this.#tally.phone(this.#book.alertOf(delivery.entry), 'offline');
    } else {
      this.#wheel.add(this.#draw(this.#settings.deliveryMs), delivery);
    }
  }

  /** Resolves with true once nothing is pending, or with false after the timeout. */
  async drain(timeoutMs: number): Promise<boolean> {
    if (this.pending === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const idle = new Promise<boolean>((resolve) => this.#idle.push(() => resolve(true)));
    const drained = await Promise.race([idle, late]);
    clearTimeout(timer);
    return drained;
  }

  close(): void {
    this.#wheel.close();
    this.#crowd.close();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #act(later: Later): void {
    if (typeof later === 'function') later();
    else if (typeof later === 'object') this.#receive(later);
    else this.#perform(Math.floor(later / ACT_COUNT), later % ACT_COUNT);
    this.#checkIdle();
  }

  #receive(delivery: Delivery): void {
    const { entry, ref, version } = delivery;
    const alert = this.#book.alertOf(entry);
    const shown = this.#book.shownVersion(entry);
    if (version <= shown) {
      this.#tally.phone(alert, 'ignoredStale');
      return;
    }
    this.#tally.phone(alert, 'received');
    const outside = this.#decides(entry, PURPOSE.outside, this.#settings.outsideRate);
    const kind = outside ? 'outside' : 'received';
    this.#crowd.receipt(ref, kind, alert);
    if (this.#decides(entry, PURPOSE.duplicate, this.#settings.duplicateRate)) this.#crowd.receipt(ref, kind, alert);
    if (outside) this.#tally.phone(alert, 'outside');
    else this.#show(delivery, alert, shown >= 0);
  }

  #show(delivery: Delivery, alert: string, replaces: boolean): void {
    const { entry, kind, content } = delivery;
    this.#book.show(delivery);
    this.#tally.phone(alert, 'shown');
    if (replaces) this.#tally.phone(alert, 'replaced');
    if (this.#book.content(content)['sound'] === 'silent') this.#tally.phone(alert, 'silent');
    const { openRate, endingOpenRate, openMs } = this.#settings;
    if (this.#decides(entry, PURPOSE.open + kind * 16, kind === ALERT ? openRate : endingOpenRate)) {
      this.#later(entry, ACTS.open, openMs);
    }
  }

  /** A phone acts on what it shows by then: an alert that has ended meanwhile is neither forwarded nor answered. */
  #perform(entry: number, act: number): void {
    const ofAlert = this.#book.shownContent(entry)['kind'] === 'alert';
    if (act === ACTS.open) this.#open(entry, ofAlert);
    else if (ofAlert && act === ACTS.forward) this.#crowd.forward(this.#book.refOf(entry), this.#book.alertOf(entry));
    else if (ofAlert) this.#crowd.sight(entry, this.#book);
  }

  #open(entry: number, ofAlert: boolean): void {
    const alert = this.#book.alertOf(entry);
    this.#tally.phone(alert, 'opened');
    this.#crowd.receipt(this.#book.refOf(entry), 'opened', alert);
    if (!ofAlert) return;
    const { forwardRate, forwardMs, sightings, sightingMs } = this.#settings;
    if (this.#decides(entry, PURPOSE.forward, forwardRate)) this.#later(entry, ACTS.forward, forwardMs);
    const sighted = this.#sighted.get(alert) ?? 0;
    if (sighted < sightings) {
      this.#sighted.set(alert, sighted + 1);
      this.#later(entry, ACTS.sight, sightingMs);
    }
  }

  #later(entry: number, act: number, range: DelayRange): void {
    this.#wheel.add(this.#draw(range), entry * ACT_COUNT + act);
  }

  #decides(entry: number, purpose: number, rate: number): boolean {
    const [hi, lo] = this.#book.identity(entry);
    return fixedChance(hi, lo, purpose, this.#seed) < rate;
  }

  #draw(range: DelayRange): number {
    return range.min + (range.max - range.min) * this.#random();
  }

  #checkIdle(): void {
    if (this.#idle.length > 0 && this.pending === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
