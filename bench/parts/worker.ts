import { memoryMb, type Process } from '../deployment.ts';
import type { Bench, Findings, Part } from '../part.ts';
import { alternate } from '../rounds.ts';
import { Sending } from '../sending.ts';

const RADIUS_M = 120_000;
const MAX_MB = 512;
const MAX_RATIO = 1.15;

/** Resident memory of a worker at its highest, sending the biggest wave and one of a tenth, each in a process of its own. */
export const worker: Part = {
  name: 'worker',
  async run(bench: Bench): Promise<Findings> {
    const measured = await alternate(
      { big: () => highestOf(bench, 1), tenth: () => highestOf(bench, 0.1) },
      { rounds: bench.size === 'full' ? 2 : 1, stop: bench.stop },
    );
    const rssMb = measured.big.highest;
    const rssRatio = measured.big.median / measured.tenth.median;
    const spread = ({ lowest, highest }: { lowest: number; highest: number }) =>
      `${lowest.toFixed(0)} – ${highest.toFixed(0)} MB`;
    const what = 'worker, resident memory at its highest';
    return {
      rows: [
        {
          ...{ what, contender: 'biggest wave', measured: `${measured.big.median.toFixed(0)} MB` },
          ...{ spread: spread(measured.big), ratio: `≤ ${MAX_MB} MB`, reached: rssMb <= MAX_MB },
        },
        {
          ...{ what, contender: 'a tenth of it', measured: `${measured.tenth.median.toFixed(0)} MB` },
          ...{ spread: spread(measured.tenth), ratio: `${rssRatio.toFixed(2)}× (≤ ${MAX_RATIO}×)` },
          reached: rssRatio <= MAX_RATIO,
        },
      ],
      figures: { worker: { rssMb, rssRatio } },
    };
  },
};

async function highestOf(bench: Bench, share: number): Promise<number> {
  const sending = await Sending.start(bench);
  try {
    const { city } = await bench.world();
    const radiusM = share === 1 ? RADIUS_M : await sending.radiusOf(share * (await sending.devicesIn(RADIUS_M)));
    const { alertId } = await sending.approve(city.center, radiusM);
    await sending.settled(alertId, bench.stop);
    await sending.nextDay();
    return memoryMb((sending.workers[0] as Process<unknown>).pid).highest;
  } finally {
    await sending.close();
    await bench.deployment().stop();
  }
}
