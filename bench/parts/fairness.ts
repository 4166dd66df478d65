import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Findings, Part, Row } from '../part.ts';
import { sampleOf } from '../rounds.ts';
import { Sending } from '../sending.ts';

const BIG_M = 120_000;
const SMALL_DEVICES = { tiny: 100, small: 1_000, full: 1_000 } as const;
/** Messages a minute: the big wave lasts a minute and a half, longer than all that happens beside it. */
const QUOTA = { tiny: 1_200, small: 60_000, full: 600_000 } as const;
const TIMES = { tiny: 2, small: 4, full: 4 } as const;
/** The big wave is well under way by then. */
const UNDER_WAY_MS = 3_000;
const MAX_MS = 2_000;
const POLL_MS = 10;

/** How soon a small alert and another's ending get through while a big wave has the quota for itself. */
export const fairness: Part = {
  name: 'fairness',
  async run(bench: Bench): Promise<Findings> {
    const sending = await Sending.start(bench, { quotaPerMinute: QUOTA[bench.size], rampSeconds: 0 });
    try {
      const alone: number[] = [];
      const earlier: string[] = [];
      const radiusM = await sending.radiusOf(SMALL_DEVICES[bench.size]);
      for (let n = 0; n < TIMES[bench.size]; n++) {
        const { alertId, waitMs } = await small(bench, sending, radiusM);
        alone.push(waitMs);
        earlier.push(alertId);
        await sending.settled(alertId, bench.stop);
      }
      await sending.nextDay();
      const big = await sending.approve((await bench.world()).city.center, BIG_M);
      await pause(UNDER_WAY_MS);
      const [beside, endings]: [number[], number[]] = [[], []];
      for (const alertId of earlier) {
        beside.push((await small(bench, sending, radiusM)).waitMs);
        await sending.nextDay();
        const endedAt = await sending.endFound(alertId);
        endings.push(await firstOf(bench, sending, alertId, 'found', endedAt));
      }
      const { targeted, accepted } = await sending.results(big.alertId);
      if (accepted === targeted) throw new Error('the big wave was over before what was to happen beside it');
      await sending.stopAlert(big.alertId);
      await sending.quiet(big.alertId, bench.stop);
      return findings({ alone, beside, endings });
    } finally {
      await sending.close();
    }
  },
};

async function small(
  bench: Bench,
  sending: Sending,
  radiusM: number,
): Promise<{ readonly alertId: string; readonly waitMs: number }> {
  const approve = await sending.ready((await bench.world()).city.center, radiusM);
  const { alertId, approvedAt } = await approve();
  return { alertId, waitMs: await firstOf(bench, sending, alertId, 'alert', approvedAt) };
}

/** @returns milliseconds from a moment to the first push of the kind accepted */
async function firstOf(bench: Bench, sending: Sending, alertId: string, kind: string, since: number): Promise<number> {
  for (;;) {
    bench.stop.throwIfAborted();
    const at = (await sending.simulator.alert(alertId)).byKind[kind]?.firstAcceptedAt;
    if (at) return Math.max(0, at - since);
    await pause(POLL_MS);
  }
}

type Waits = Readonly<Record<'alone' | 'beside' | 'endings', readonly number[]>>;

/** The worst counts: one child's alert that waits is not made good by another's. */
function findings({ alone, beside, endings }: Waits): Findings {
  const row = (what: string, contender: string, waits: readonly number[]): Row => {
    const { median, lowest, highest } = sampleOf(waits);
    return { what, contender, measured: `${median} ms`, spread: `${lowest} – ${highest} ms` };
  };
  const [firstPushMs, endingMs] = [Math.max(...beside), Math.max(...endings)];
  const held = (worst: number) => ({ ratio: `worst ${worst} ms (≤ 2 s)`, reached: worst <= MAX_MS });
  return {
    rows: [
      row('fairness, first push of a small alert', 'alone', alone),
      { ...row('fairness, first push of a small alert', 'beside a big wave', beside), ...held(firstPushMs) },
      { ...row('fairness, first push of an ending', 'beside a big wave', endings), ...held(endingMs) },
    ],
    figures: { fairness: { firstPushMs, endingMs } },
  };
}
