import { memoryMb, type Process } from '../../test/harness/deployment.ts';
import type { Bench, Findings, Part } from '../part.ts';
import { alternate } from '../rounds.ts';
import { Sending } from '../sending.ts';

const RADIUS_M = 120_000;
const TENTH = 10;
const MAX_MB = 512;
const MAX_RATIO = 1.15;

/**
 * Resident memory of a worker at its highest, sending the biggest wave and, in a process of its own, ten of a tenth one after
 * the other: as many messages, so that nothing but the size of the wave differs.
 */
export const worker: Part = {
  name: 'worker',
  async run(bench: Bench): Promise<Findings> {
    const measured = await alternate(
      { big: () => highestOf(bench, 1), tenth: () => highestOf(bench, TENTH) },
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
          ...{ what, contender: 'ten of a tenth', measured: `${measured.tenth.median.toFixed(0)} MB` },
          ...{ spread: spread(measured.tenth), ratio: `${rssRatio.toFixed(2)}× (≤ ${MAX_RATIO}×)` },
          reached: rssRatio <= MAX_RATIO,
        },
      ],
      figures: { worker: { rssMb, rssRatio } },
    };
  },
};

/** @param waves so many, each of its share of those in the circle */
async function highestOf(bench: Bench, waves: number): Promise<number> {
  const sending = await Sending.start(bench);
  try {
    const { city } = await bench.world();
    const radiusM = waves === 1 ? RADIUS_M : await sending.radiusOf((await sending.devicesIn(RADIUS_M)) / waves);
    for (let wave = 0; wave < waves; wave++) {
      const { alertId } = await sending.approve(city.center, radiusM);
      await sending.settled(alertId, bench.stop);
      await sending.nextDay();
    }
    return memoryMb((sending.workers[0] as Process<unknown>).pid).highest;
  } finally {
    await sending.close();
    await bench.deployment().stop();
  }
}
