import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Findings, Part, Row } from '../part.ts';
import { Sending } from '../sending.ts';

const RADIUS_M = 120_000;
const WORKERS = 3;
const MIN_RATIO = 0.97;

interface Plan {
  /** Messages a minute, the worker's quota and the provider's alike; the first that the machine carries counts. */
  readonly quotas: readonly number[];
  readonly rampSeconds: number;
  readonly steadySeconds: number;
}

const PLANS: Readonly<Record<Bench['size'], Plan>> = {
  tiny: { quotas: [3_000], rampSeconds: 3, steadySeconds: 10 },
  small: { quotas: [60_000], rampSeconds: 10, steadySeconds: 60 },
  full: { quotas: [600_000, 450_000, 300_000], rampSeconds: 60, steadySeconds: 60 },
};

/** How much of the quota three workers use between them, and whether the provider ever finds it exceeded. */
export const quota: Part = {
  name: 'quota',
  async run(bench: Bench): Promise<Findings> {
    const { quotas, rampSeconds, steadySeconds } = PLANS[bench.size];
    const rows: Row[] = [];
    let last = { ratio: 0, status429: 0 };
    for (const quotaPerMinute of quotas) {
      last = await steady(bench, { quotaPerMinute, rampSeconds, steadySeconds });
      rows.push(...rowsOf(quotaPerMinute, last));
      if (last.ratio >= MIN_RATIO) break;
    }
    return { rows, figures: { quota: last } };
  },
};

async function steady(
  bench: Bench,
  { quotaPerMinute, rampSeconds, steadySeconds }: Omit<Plan, 'quotas'> & { readonly quotaPerMinute: number },
): Promise<{ readonly ratio: number; readonly status429: number }> {
  const options = { quotaPerMinute, rampSeconds, workers: WORKERS, simulatorQuotaPerMinute: quotaPerMinute };
  const sending = await Sending.start(bench, options);
  try {
    const { simulator } = sending;
    const { alertId } = await sending.approve((await bench.world()).city.center, RADIUS_M);
    // A second more, for what the ramp had granted to be sent.
    await pause((rampSeconds + 1) * 1000, undefined, { signal: bench.stop });
    const [from, before] = [performance.now(), (await simulator.all()).accepted];
    await pause(steadySeconds * 1000, undefined, { signal: bench.stop });
    const { accepted, byError } = await simulator.all();
    const minutes = (performance.now() - from) / 60_000;
    const { targeted, accepted: done } = await sending.results(alertId);
    if (done === targeted) throw new Error('the wave was over before the steady minute was');
    await sending.stopAlert(alertId);
    await sending.quiet(alertId, bench.stop);
    await sending.nextDay();
    const status429 = Object.entries(byError).reduce((sum, [code, n]) => sum + (QUOTA_CODES.has(code) ? n : 0), 0);
    return { ratio: (accepted - before) / minutes / quotaPerMinute, status429 };
  } finally {
    await sending.close();
    await bench.deployment().stop();
  }
}

/** What the simulator calls its 429s. */
const QUOTA_CODES: ReadonlySet<string> = new Set(['QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED']);

function rowsOf(quotaPerMinute: number, { ratio, status429 }: { ratio: number; status429: number }): Row[] {
  const what = `quota of ${quotaPerMinute.toLocaleString('en')}/min, ${WORKERS} workers`;
  const used = `${(ratio * 100).toFixed(1)} %`;
  return [
    { what, contender: 'used', measured: used, ratio: `≥ ${MIN_RATIO * 100} %`, reached: ratio >= MIN_RATIO },
    { what, contender: 'answers 429', measured: `${status429}`, ratio: '0', reached: status429 === 0 },
  ];
}
