import { audit } from '../chaos/books.ts';
import { type Call, type Herd, positionCall } from '../chaos/herd.ts';
import type { Audience } from '../chaos/ledger.ts';
import { TOWN } from '../chaos/population.ts';
import type { Released, Stage } from '../chaos/stage.ts';
import type { Settler } from './settlers.ts';

/** What becomes of one alert. */
export interface Plan {
  /** Phones in its area when it is released. */
  readonly phones: number;
  readonly midway: 'nothing' | 'held' | 'updated';
  /** `early` is found in the midst of the wave. */
  readonly end: 'found' | 'early' | 'cancelled' | 'expired';
}

/** One after another, and again from the first. */
export const PLANS: readonly Plan[] = [
  { phones: 400, midway: 'nothing', end: 'found' },
  { phones: 2_500, midway: 'held', end: 'cancelled' },
  { phones: 900, midway: 'updated', end: 'expired' },
  { phones: 5_000, midway: 'nothing', end: 'expired' },
  { phones: 1_500, midway: 'nothing', end: 'early' },
  { phones: 100, midway: 'updated', end: 'found' },
];

/** What its books say in the end. */
export interface Lived {
  readonly alertId: string;
  readonly plan: Plan;
  readonly targeted: number;
  /** Recipients of all waves, whom the alert, an update or the ending was sent to. */
  readonly recipients: number;
  readonly topUps: number;
  readonly duplicates: number;
  readonly faults: readonly string[];
}

/** What an officer does, by how much of the audit it writes and what rows it makes. */
export interface Acts {
  filed: number;
  /** Messages beyond the first. */
  told: number;
  changes: number;
  reviews: number;
  moves: number;
  /** Requests of officers. */
  requests: number;
}

const SETTLED_MS = 300_000;
/** A top-up comes every 25 s, and takes its time. */
const TOPPED_UP_MS = 120_000;
const HELD_MS = 4_000;
/** Of a wave that is held or ended in its midst, the share settled by then. */
const MIDST = 0.3;

/** Releases an alert, lets phones move in, ends it and compares the books. */
export class AlertLife {
  readonly #stage: Stage;
  readonly #herd: Herd;
  readonly #settlers: readonly Settler[];
  readonly #acts: Acts;

  constructor(stage: Stage, herd: Herd, settlers: readonly Settler[], acts: Acts) {
    this.#stage = stage;
    this.#herd = herd;
    this.#settlers = settlers;
    this.#acts = acts;
  }

  /** @param released told the alert when it is live */
  async live(plan: Plan, released: (alertId: string) => void): Promise<Lived> {
    const { ledger } = this.#stage;
    // Wherever the last alert left them.
    await this.#move('home');
    await ledger.nextDay();
    const radiusM = await ledger.radiusOf(TOWN, plan.phones);
    const before = await ledger.audience(TOWN, radiusM);
    const filed = await this.#stage.file(radiusM);
    const alert = await this.#stage.release(filed);
    this.#did({ filed: 1, requests: 4 });
    released(alert.alertId);
    const audience = plan.end === 'early' ? before : await this.#grow(alert, plan, before);
    if (plan.end === 'early') await this.#midst(alert);
    await this.#end(alert, plan.end, filed.caseId);
    await this.#settled(alert);
    return this.#balance(alert, plan, audience, audience.size - before.size);
  }

  async #grow(alert: Released, plan: Plan, before: Audience): Promise<Audience> {
    if (plan.midway === 'held') await this.#hold(alert);
    await this.#settled(alert);
    await this.#move('town');
    const audience = new Map([...before, ...this.#settlers.map(({ id, token }) => [id, token] as const)]);
    const whole = await this.#stage.until(
      async () => (await this.#stage.ledger.progress(alert.alertId)).settled >= audience.size,
      TOPPED_UP_MS * this.#stage.run.patience,
    );
    if (!whole) throw new Error(`alert ${alert.alertId} did not ask those who moved in`);
    if (plan.midway === 'updated') await this.#update(alert);
    return audience;
  }

  async #hold(alert: Released): Promise<void> {
    await this.#midst(alert);
    const { liaison, verifier } = await this.#stage.officers();
    await liaison.hold(alert.alertId);
    await this.#stage.last(HELD_MS);
    await verifier.approveChange(alert.alertId, await liaison.proposeResume(alert.alertId));
    this.#did({ reviews: 1, changes: 1, requests: 4 });
  }

  async #update(alert: Released): Promise<void> {
    const { liaison, verifier } = await this.#stage.officers();
    await verifier.approveChange(alert.alertId, await liaison.proposeTexts(alert.alertId));
    this.#did({ told: 1, changes: 1, requests: 3 });
    await this.#settled(alert);
  }

  async #end({ alertId }: Released, end: Plan['end'], caseId: string): Promise<void> {
    const { liaison, verifier } = await this.#stage.officers();
    if (end === 'expired') {
      await this.#stage.ledger.query('UPDATE alerts SET expires_at = now() WHERE id = $1', [alertId]);
      const ended = await this.#stage.until(() => this.#isEnded(alertId), SETTLED_MS);
      if (!ended) throw new Error(`alert ${alertId} did not expire`);
      await liaison.close(caseId);
    } else if (end === 'cancelled') await verifier.endCancelled(alertId);
    else await verifier.endFound(alertId);
    this.#did({ told: 1, reviews: 1, requests: 1 });
  }

  async #isEnded(alertId: string): Promise<boolean> {
    const [alert] = await this.#stage.ledger.query<{ state: string }>('SELECT state FROM alerts WHERE id = $1', [
      alertId,
    ]);
    return alert?.state === 'ended';
  }

  async #settled({ alertId }: Released): Promise<void> {
    const at = await this.#stage.until(
      () => this.#stage.ledger.settledAt(alertId),
      SETTLED_MS * this.#stage.run.patience,
    );
    if (at === null) throw new Error(`alert ${alertId} was not settled`);
  }

  async #midst({ alertId }: Released): Promise<void> {
    await this.#stage.until(async () => {
      const { settled, targeted } = await this.#stage.ledger.progress(alertId);
      return targeted > 0 && settled >= targeted * MIDST;
    }, SETTLED_MS);
  }

  /** Settlers go into the town, or back to where they live. */
  async #move(where: 'town' | 'home'): Promise<void> {
    const calls: readonly Call[] = this.#settlers.map(({ id, home }) =>
      positionCall(id, where === 'town' ? TOWN : home),
    );
    const heard = await this.#herd.offer(calls, Infinity);
    const refused = heard.filter(({ status }) => status < 200 || status > 299);
    if (refused.length > 0) throw new Error(`${refused.length} who moved were refused (${refused[0]?.status})`);
    this.#did({ moves: calls.length });
  }

  async #balance({ alertId }: Released, plan: Plan, audience: Audience, topUps: number): Promise<Lived> {
    const { ledger, simulator } = this.#stage;
    const [booked, arrivals] = [await ledger.recipients(alertId), await simulator.arrivals(alertId)];
    const found = audit({ alertId, audience, booked, arrivals, untouched: plan.end !== 'early' });
    const faults = found.lost.map((fault) => `alert ${alertId}: ${fault}`);
    if (found.unreplaceable > 0) faults.push(`alert ${alertId}: ${found.unreplaceable} copies that nothing replaces`);
    const { targeted, duplicates } = found;
    return { alertId, plan, targeted, recipients: booked.length, topUps, duplicates, faults };
  }

  #did(acts: Partial<Acts>): void {
    for (const [name, count] of Object.entries(acts)) this.#acts[name as keyof Acts] += count;
  }
}
