import { setTimeout as pause } from 'node:timers/promises';
import { type Call, type Heard, Herd } from '../chaos/herd.ts';
import type { Stage } from '../chaos/stage.ts';
import { type Acts, AlertLife, type Lived, PLANS } from './alert-life.ts';
import { placesOf, type Settler, settlersOf } from './settlers.ts';

/** Calls a second, of all phones together. What is answered to pushes comes on top, by the simulator's phones. */
const PER_SECOND = { positions: 20, pages: 5, alerts: 2 } as const;
const TICK_MS = 50;
/** Pages of the last so many alerts are looked at. */
const LOOKED_AT = 8;

/** How phones answer what they are sent: spread out, as people look at their phones. */
const PHONES = {
  ...{
    receiveRate: 0.9,
    outsideRate: 0.02,
    openRate: 0.35,
    endingOpenRate: 0.1,
    forwardRate: 0.2,
    duplicateRate: 0.02,
  },
  openMs: { min: 500, max: 20_000 },
  forwardMs: { min: 200, max: 5_000 },
  viewMs: { min: 200, max: 15_000 },
};

/** What was called, and how it was answered. */
export interface Answers {
  ok: number;
  /** 410: the page of an alert that has ended. */
  gone: number;
  /** Connections that ended without an answer. */
  unanswered: number;
  /** Other answers, by status. */
  readonly others: Map<number, number>;
}

/** Everything that goes on in a soak. */
export class Traffic {
  readonly lives: Lived[] = [];
  readonly faults: string[] = [];
  readonly answers: Answers = { ok: 0, gone: 0, unanswered: 0, others: new Map() };
  readonly acts: Acts = { filed: 0, told: 0, changes: 0, reviews: 0, moves: 0, requests: 0 };
  readonly #stage: Stage;
  readonly #api: Herd;
  readonly #public: Herd;
  readonly #settlers: readonly Settler[];
  readonly #places: readonly Call[];
  readonly #slugs: string[] = [];
  #ended = false;

  private constructor(stage: Stage, settlers: readonly Settler[], places: readonly Call[]) {
    this.#stage = stage;
    this.#api = new Herd(stage.api.ready.url);
    this.#public = new Herd(stage.public.ready.url);
    this.#settlers = settlers;
    this.#places = places;
  }

  static async of(stage: Stage): Promise<Traffic> {
    await stage.simulator.configure({ phones: PHONES });
    const settlers = await settlersOf(stage.ledger);
    return new Traffic(stage, settlers, await placesOf(stage.ledger, settlers));
  }

  /** Goes on until a time, epoch milliseconds, and until the alert that is live by then has ended. */
  async run(until: number): Promise<void> {
    const places = this.#steadily(PER_SECOND.positions, (n) =>
      this.#api.call(this.#places[n % this.#places.length] as Call),
    );
    const pages = this.#steadily(PER_SECOND.pages, (n) => this.#look(this.#public, '/a/', n));
    const alerts = this.#steadily(PER_SECOND.alerts, (n) => this.#look(this.#api, '/v1/alerts/', n));
    try {
      for (let n = 0; Date.now() < until && !this.#ended; n++) await this.#live(n);
    } finally {
      this.#ended = true;
      await Promise.all([places, pages, alerts]);
      this.#api.close();
      this.#public.close();
    }
  }

  /** Lets nothing new begin. */
  end(): void {
    this.#ended = true;
  }

  /** One that fails is told in the end, and does not keep the others from it. */
  async #live(n: number): Promise<void> {
    const plan = PLANS[n % PLANS.length] as (typeof PLANS)[number];
    const life = new AlertLife(this.#stage, this.#api, this.#settlers, this.acts);
    try {
      const lived = await life.live(plan, (alertId) => void this.#show(alertId));
      this.lives.push(lived);
      this.faults.push(...lived.faults);
    } catch (error) {
      this.#stage.run.stop.throwIfAborted();
      this.faults.push(error instanceof Error ? error.message : String(error));
      await pause(1_000);
    }
  }

  async #show(alertId: string): Promise<void> {
    const [alert] = await this.#stage.ledger.query<{ slug: string }>('SELECT slug FROM alerts WHERE id = $1', [
      alertId,
    ]);
    if (alert) this.#slugs.push(alert.slug);
    if (this.#slugs.length > LOOKED_AT) this.#slugs.shift();
  }

  async #look(herd: Herd, under: string, n: number): Promise<Heard | null> {
    const slug = this.#slugs[n % this.#slugs.length];
    if (slug === undefined) return null;
    return herd.call({ method: 'GET', path: under + slug, headers: {}, body: '' });
  }

  /** Calls at a rate, however long answers take. */
  async #steadily(perSecond: number, call: (n: number) => Promise<Heard | null>): Promise<void> {
    const began = performance.now();
    const underWay = new Set<Promise<void>>();
    for (let n = 0; !this.#ended && !this.#stage.run.stop.aborted;) {
      const due = ((performance.now() - began) / 1000) * perSecond;
      for (; n < due; n++) {
        const one = this.#note(call(n)).finally(() => underWay.delete(one));
        underWay.add(one);
      }
      await pause(TICK_MS);
    }
    await Promise.all(underWay);
  }

  async #note(heard: Promise<Heard | null>): Promise<void> {
    const { status } = (await heard) ?? {};
    if (status === undefined) return;
    if (status === 0) this.answers.unanswered++;
    else if (status === 410) this.answers.gone++;
    else if (status >= 200 && status < 300) this.answers.ok++;
    else this.answers.others.set(status, (this.answers.others.get(status) ?? 0) + 1);
  }
}
