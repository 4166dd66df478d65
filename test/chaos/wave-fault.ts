import type { Filed } from '../harness/officer.ts';
import type { AllBooks } from '../harness/running-simulator.ts';
import { audit, type Findings } from './books.ts';
import type { Audience } from './ledger.ts';
import { TOWN } from './population.ts';
import { type Outcome, type Scenario, verdict } from './scenario.ts';
import { chunkOf } from './setting.ts';
import type { Released, Stage } from './stage.ts';

/** What is seen of a fault afterwards. */
interface Evidence {
  readonly lostLeases: number;
  /** The simulator's counts since the wave began. */
  readonly provider: {
    readonly errors: (code: string) => number;
    readonly unanswered: AllBooks['unanswered'];
    readonly sessions: number;
    readonly goaways: number;
  };
}

/** A wave that is struck, as a strike sees it. */
export interface Wave extends Released {
  readonly targeted: number;
}

/** Something that is broken while a wave is sent. */
export interface WaveFault extends Pick<Scenario, 'name' | 'breaks' | 'short' | 'setting'> {
  /** Phones of the wave; 3 000 when left out. */
  readonly phones?: number;
  /** Before the wave is released. */
  readonly arrange?: (stage: Stage) => Promise<void>;
  /**
   * Breaks it and mends it: resolves when capacity is back.
   * @param broken called when it is broken: then a second alert is released; when the strike is over, at the latest
   * @returns false when the strike itself saw that it hit nothing
   */
  readonly strike: (stage: Stage, wave: Wave, broken: () => void) => Promise<boolean | void>;
  /** Whether it can be seen that the fault bit; left out where the strike sees it. */
  readonly bit?: (evidence: Evidence) => boolean;
  /** What more must hold. @returns broken promises, in words */
  readonly after?: (stage: Stage, wave: Wave, evidence: Evidence) => Promise<readonly string[]>;
  /** Nothing can be sent before capacity is back; else a second alert is to start while the fault lasts. */
  readonly halts?: boolean;
  /** The strike ends or stops the alert: it need not outlast anything. */
  readonly ends?: boolean;
  /** The strike leaves the alert held for good, by a ledger that has forgotten whom it asked: its books stay open. */
  readonly staysHeld?: boolean;
}

const PHONES = 3_000;
const SECOND_PHONES = 100;
/** Struck as soon as so much is settled … */
const STRUCK_FROM = 0.2;
/** … and not when more is. */
const STRUCK_UNTIL = 0.4;
const RECOVERED_MS = 30_000;
/**
 * From the second alert's release; where nothing can be sent, from the moment that capacity is back if that comes later. A sweep comes every
 * 5 s and a breaker's probe no later than that; the rest is what a poll, a claim and a push take.
 */
const SECOND_WITHIN_MS = 10_000;
const START_MS = 60_000;
/** What is late is watched for so long, to be told by how much. */
const WATCHED_MS = 120_000;
const TOLD_EVERY_MS = 3_000;

/** A scenario: a paced wave is struck in its midst, a second alert is released meanwhile, and then the books are compared. */
export function waveUnder(fault: WaveFault): Scenario {
  const { name, breaks, short = false, setting = {} } = fault;
  return { name, breaks, short, setting, run: (stage) => new WaveUnderFault(stage, fault).run() };
}

class WaveUnderFault {
  readonly #stage: Stage;
  readonly #fault: WaveFault;
  readonly #faults: string[] = [];
  #told = 0;

  constructor(stage: Stage, fault: WaveFault) {
    this.#stage = stage;
    this.#fault = fault;
  }

  async run(): Promise<Outcome> {
    const stage = this.#stage;
    const { arrange, phones = PHONES, bit, after, ends = false, staysHeld = false } = this.#fault;
    await arrange?.(stage);
    const before = await stage.simulator.all();
    const [first, second] = [await this.#file(phones), await this.#file(SECOND_PHONES)];
    const audience = await stage.ledger.audience(TOWN, first.radiusM);
    const wave = { ...(await stage.release(first)), targeted: audience.size };
    const struckAt = await this.#midst(wave);
    const { backAt, beside } = await this.#strike(wave, second);
    const recoveredMs = staysHeld ? null : await this.#recovered(wave, backAt);
    const secondFirstPushMs = await this.#secondStarts(beside, backAt);

    const lostLeases = await stage.ledger.lostLeases([wave.alertId, beside.alertId]);
    const evidence = evidenceOf(before, await stage.simulator.all(), lostLeases);
    if (bit?.(evidence) === false) this.#faults.push('the fault did not bite');
    this.#faults.push(...stage.deaths(), ...((await after?.(stage, wave, evidence)) ?? []));
    const books = [
      ...(staysHeld ? [] : [await this.#audit(wave, audience, !ends)]),
      await this.#audit(beside, beside.audience, true),
    ];
    return this.#judge(books, evidence, { recoveredMs, secondFirstPushMs, struckAt });
  }

  async #file(phones: number): Promise<Filed & { readonly radiusM: number }> {
    const radiusM = await this.#stage.ledger.radiusOf(TOWN, phones);
    return { radiusM, ...(await this.#stage.file(radiusM)) };
  }

  /** Strikes, and releases a second alert meanwhile. @returns when capacity was back, epoch milliseconds, and the alert */
  async #strike(wave: Wave, second: Filed & { readonly radiusM: number }) {
    const stage = this.#stage;
    const broken = Promise.withResolvers<void>();
    const strike = async () => {
      try {
        if ((await this.#fault.strike(stage, wave, broken.resolve)) === false)
          this.#faults.push('the strike hit nothing');
        return Date.now();
      } finally {
        broken.resolve();
      }
    };
    const release = async () => {
      await broken.promise;
      // As it is then: whoever turned out to be away for good is forgotten.
      const audience = await stage.ledger.audience(TOWN, second.radiusM);
      return { audience, ...(await stage.release(second)) };
    };
    const [backAt, beside] = await Promise.all([strike(), release()]);
    return { backAt, beside };
  }

  /** Waits until a part of the wave is settled and batches are in hand. @returns the share */
  async #midst(wave: Wave): Promise<number> {
    const { ledger } = this.#stage;
    const share = await this.#stage.until(async () => {
      const { settled, targeted, leased } = await ledger.progress(wave.alertId);
      return settled >= targeted * STRUCK_FROM && leased > 0 ? settled / targeted : null;
    }, START_MS);
    if (share === null) this.#faults.push('the wave did not get going');
    else if (share > STRUCK_UNTIL * this.#stage.run.patience)
      this.#faults.push(`struck at ${percent(share)}, too late`);
    this.#stage.run.say(`    at ${percent(share ?? 0)} settled: ${this.#fault.breaks}`);
    return share ?? 0;
  }

  async #recovered(wave: Wave, backAt: number): Promise<number | null> {
    const settledAt = await this.#stage.until(async () => {
      await this.#tell(wave);
      return this.#stage.ledger.settledAt(wave.alertId);
    }, WATCHED_MS);
    if (settledAt === null) {
      const { settled, targeted } = await this.#stage.ledger.progress(wave.alertId);
      this.#faults.push(`not finished after ${WATCHED_MS / 1000} s: ${settled} of ${targeted} settled`);
      return null;
    }
    const recoveredMs = Math.max(0, settledAt - backAt);
    if (recoveredMs > RECOVERED_MS * this.#stage.run.patience)
      this.#faults.push(`finished only ${recoveredMs} ms after capacity was back`);
    if (settledAt < backAt && this.#fault.ends !== true) this.#faults.push('the wave did not outlast the fault');
    return recoveredMs;
  }

  async #secondStarts({ alertId, at }: Released, backAt: number): Promise<number | null> {
    const { simulator } = this.#stage;
    const firstAt = await this.#stage.until(
      async () => (await simulator.alert(alertId)).byKind['alert']?.firstAcceptedAt,
      WATCHED_MS,
    );
    if (firstAt === null) {
      this.#faults.push('the second alert did not start');
      return null;
    }
    const ms = Math.max(0, firstAt - (this.#fault.halts === true ? Math.max(at, backAt) : at));
    if (ms > SECOND_WITHIN_MS * this.#stage.run.patience)
      this.#faults.push(`the second alert started only after ${ms} ms`);
    return ms;
  }

  async #audit({ alertId }: Released, audience: Audience, untouched: boolean): Promise<Findings> {
    const { ledger, simulator } = this.#stage;
    await this.#stage.until(() => ledger.settledAt(alertId), RECOVERED_MS);
    await simulator.drain();
    const [booked, arrivals] = [await ledger.recipients(alertId), await simulator.arrivals(alertId)];
    return audit({ alertId, audience, booked, arrivals, untouched });
  }

  #judge(
    books: readonly Findings[],
    { lostLeases, provider }: Evidence,
    times: Pick<Outcome, 'recoveredMs' | 'secondFirstPushMs' | 'struckAt'>,
  ): Outcome {
    const sum = (of: (findings: Findings) => number) => books.reduce((all, each) => all + of(each), 0);
    const lost = books.flatMap((each) => each.lost);
    const [targeted, duplicates, unreplaceable] = [
      sum((each) => each.targeted),
      sum((each) => each.duplicates),
      sum((each) => each.unreplaceable),
    ];
    const { timeout, reset, malformed, aborted } = provider.unanswered;
    const ambiguous = timeout + reset + malformed + aborted;
    const bound = chunkOf(this.#stage.setting.quotaPerMinute) * lostLeases + ambiguous;
    if (lost.length > 0) this.#faults.push(`${lost.length} lost, e.g. ${lost.slice(0, 3).join('; ')}`);
    if (duplicates > bound) this.#faults.push(`${duplicates} duplicates, ${bound} allowed`);
    if (unreplaceable > 0) this.#faults.push(`${unreplaceable} copies that nothing replaces`);
    const counts = { targeted, lost: lost.length, duplicates, bound, ambiguous, lostLeases };
    return verdict({ ...counts, ...times }, this.#faults);
  }

  async #tell({ alertId }: Wave): Promise<void> {
    if (Date.now() < this.#told + TOLD_EVERY_MS) return;
    this.#told = Date.now();
    const { settled, targeted } = await this.#stage.ledger.progress(alertId);
    this.#stage.run.say(`    ${settled} of ${targeted} settled`);
  }
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function evidenceOf(before: AllBooks, now: AllBooks, lostLeases: number): Evidence {
  const since = <Name extends string>(a: Readonly<Record<Name, number>>, b: Readonly<Record<Name, number>>) =>
    Object.fromEntries(
      Object.entries<number>(b).map(([name, count]) => [name, count - (a[name as Name] ?? 0)]),
    ) as Record<Name, number>;
  const errors = since(before.byError, now.byError);
  return {
    lostLeases,
    provider: {
      errors: (code) => errors[code] ?? 0,
      unanswered: since(before.unanswered, now.unanswered),
      sessions: now.sessions - before.sessions,
      goaways: now.goaways - before.goaways,
    },
  };
}
