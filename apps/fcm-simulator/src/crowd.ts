/** What phones tell the api, and what their friends do: receipts, forwards and views, sightings. */
import { ApiClient, type Answer } from './api-client.ts';
import { browser } from './browsers.ts';
import type { PhoneBook } from './phone-book.ts';
import type { Random } from './random.ts';
import { Receipts, type Receipt } from './receipts.ts';
import type { DelayRange, PhoneSettings } from './settings.ts';
import type { PhoneCounts, Tally } from './tally.ts';
import { tip } from './tips.ts';

/** A forward of a forward of a forward of a forward is the last. */
const MAX_DEPTH = 4;

export interface CrowdOptions {
  readonly tally: Tally;
  readonly settings: PhoneSettings;
  readonly random: Random;
  readonly apiUrl: string | undefined;
  /** Does the act after a delay drawn from the range. */
  readonly later: (range: DelayRange, act: () => void) => void;
  /** Called whenever something under way has ended. */
  readonly settled: () => void;
}

export class Crowd {
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #later: CrowdOptions['later'];
  readonly #settled: () => void;
  readonly #api: ApiClient | undefined;
  readonly #receipts: Receipts;
  #settings: PhoneSettings;
  #friends = 0;
  #tips = 0;
  #underWay = 0;

  constructor(options: CrowdOptions) {
    this.#tally = options.tally;
    this.#settings = options.settings;
    this.#random = options.random;
    this.#later = options.later;
    this.#settled = options.settled;
    this.#api = options.apiUrl === undefined ? undefined : new ApiClient(options.apiUrl);
    this.#receipts = new Receipts(
      (items) => this.#postReceipts(items),
      () => this.#tally.phone('', 'apiErrors'),
    );
  }

  get pending(): number {
    return this.#underWay + this.#receipts.pending;
  }

  configure(settings: PhoneSettings): void {
    this.#settings = settings;
  }

  close(): void {
    this.#receipts.close();
    this.#api?.close();
  }

  receipt(ref: string, kind: Receipt['kind'], alert: string): void {
    if (this.#api !== undefined && ref !== '' && alert !== '') this.#receipts.add({ ref, kind });
  }

  /** The phone's owner sends the alert on. */
  forward(ref: string, alert: string): void {
    if (this.#api === undefined) this.#tally.phone(alert, 'forwards');
    else void this.#forward({ ref }, alert, 1);
  }

  /** The phone's owner saw the child. */
  sight(entry: number, book: PhoneBook): void {
    const alert = book.alertOf(entry);
    const { slug, area } = book.shownContent(entry);
    if (this.#api === undefined) {
      this.#tally.phone(alert, 'sightings');
      return;
    }
    const body = { ref: book.refOf(entry), ...tip(this.#tips++, String(area), Date.now(), this.#random) };
    const path = `v1/alerts/${encodeURIComponent(String(slug))}/sightings`;
    void this.#call(alert, 'sightings', (api) => api.post(path, body));
  }

  async #forward(body: { ref: string } | { parent: string }, alert: string, depth: number): Promise<void> {
    const answer = await this.#call(alert, 'forwards', (api) => api.post('v1/forwards', body));
    const link = answer === undefined ? undefined : readLink(answer.body);
    if (link === undefined) return;
    const friends = Math.floor(this.#random() * (this.#settings.maxFriends + 1));
    for (let friend = 0; friend < friends; friend++) {
      this.#later(this.#settings.viewMs, () => void this.#view(link, alert, depth));
    }
  }

  async #view(link: Link, alert: string, depth: number): Promise<void> {
    const userAgent = browser(this.#friends++);
    const answer = await this.#call(alert, 'views', (api) => api.open(link.url, userAgent));
    if (answer === undefined || depth >= MAX_DEPTH || this.#random() >= this.#settings.friendForwardRate) return;
    this.#later(this.#settings.forwardMs, () => void this.#forward({ parent: link.token }, alert, depth + 1));
  }

  async #postReceipts(items: readonly Receipt[]): Promise<void> {
    await this.#call('', undefined, (api) => api.post('v1/receipts', { items }));
  }

  /** Counts what succeeded under `what` and what was given up as an error; never rejects. */
  async #call(
    alert: string,
    what: keyof PhoneCounts | undefined,
    call: (api: ApiClient) => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    if (this.#api === undefined) return undefined;
    this.#underWay++;
    try {
      const answer = await call(this.#api);
      if (answer === undefined) this.#tally.phone(alert, 'apiErrors');
      else if (what !== undefined) this.#tally.phone(alert, what);
      return answer;
    } catch {
      this.#tally.phone(alert, 'apiErrors');
      return undefined;
    } finally {
      this.#underWay--;
      // What follows from the answer is scheduled first, so that nobody finds an idle moment in between.
      setImmediate(this.#settled);
    }
  }
}

interface Link {
  readonly url: string;
  readonly token: string;
}

function readLink(body: string): Link | undefined {
  try {
    const { url, token } = JSON.parse(body) as Partial<Link>;
    return typeof url === 'string' && typeof token === 'string' ? { url, token } : undefined;
  } catch {
    return undefined;
  }
}
