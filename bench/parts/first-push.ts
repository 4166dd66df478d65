import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Findings, Part } from '../part.ts';
import { quantile } from '../rounds.ts';
import { Sending } from '../sending.ts';

const RADIUS_M = 120_000;
const APPROVALS = { tiny: 3, small: 20, full: 50 } as const;
/** Then the alert is stopped: the rest says nothing of the first. */
const ENOUGH = 1_000;
const POLL_MS = 10;
const MAX_P95_MS = 1_000;
const MAX_BANDS_INVERTED = 2;

/** From an approval to the first push accepted, at Google's default quota and ramp; and whether the nearest were first. */
export const firstPush: Part = {
  name: 'first-push',
  async run(bench: Bench): Promise<Findings> {
    const sending = await Sending.start(bench, { quotaPerMinute: 600_000, rampSeconds: 60 });
    try {
      const waits: number[] = [];
      let bandsInverted = 0;
      for (let n = 0; n < APPROVALS[bench.size]; n++) {
        bench.stop.throwIfAborted();
        const { waitMs, inverted } = await approveOnce(bench, sending);
        waits.push(waitMs);
        bandsInverted = Math.max(bandsInverted, inverted);
      }
      return findings(waits, bandsInverted);
    } finally {
      await sending.close();
    }
  },
};

async function approveOnce(bench: Bench, sending: Sending): Promise<{ waitMs: number; inverted: number }> {
  const { city } = await bench.world();
  const approve = await sending.ready(city.center, RADIUS_M);
  const { alertId, approvedAt } = await approve();
  const { targeted } = await sending.results(alertId);
  let books = await sending.simulator.alert(alertId);
  for (; books.accepted < Math.min(ENOUGH, targeted); books = await sending.simulator.alert(alertId)) {
    bench.stop.throwIfAborted();
    await pause(POLL_MS);
  }
  await sending.stopAlert(alertId);
  await sending.quiet(alertId, bench.stop);
  await sending.nextDay();
  const inverted = await sending.simulator.bandsInverted(alertId);
  return { waitMs: Math.max(0, (books.firstAcceptedAt ?? Infinity) - approvedAt), inverted };
}

function findings(waits: readonly number[], bandsInverted: number): Findings {
  const [p50, p95] = [quantile(waits, 0.5), quantile(waits, 0.95)];
  const spread = `${Math.min(...waits)} – ${Math.max(...waits)} ms`;
  const what = `first push, of ${waits.length} approvals to 120 km`;
  return {
    rows: [
      { what, contender: 'p50', measured: `${p50} ms`, spread },
      { what, contender: 'p95', measured: `${p95} ms`, ratio: '≤ 1 s', reached: p95 <= MAX_P95_MS },
      {
        what: 'first push, bands behind a farther one at worst',
        contender: 'one worker',
        measured: `${bandsInverted}`,
        ratio: `≤ ${MAX_BANDS_INVERTED}`,
        reached: bandsInverted <= MAX_BANDS_INVERTED,
      },
    ],
    figures: { firstPushMs: { p50, p95 }, bandsInverted },
  };
}
