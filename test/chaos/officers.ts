import type { Process } from '../harness/deployment.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { type Wave, waveUnder } from './wave-fault.ts';

const STOPPED_WITHIN_MS = 2_000;

export const officers: readonly Scenario[] = [stopped(), found(), foundAndKilled()];

function stopped(): Scenario {
  let answeredAt = 0;
  return waveUnder({
    name: 'stop-pressed',
    breaks: 'an officer stops the alert in the midst of the wave',
    short: true,
    ends: true,
    strike: async (stage, { alertId }) => {
      await (await stage.officers()).liaison.stop(alertId);
      answeredAt = Date.now();
    },
    after: async (stage, { alertId }) => {
      const late = (await stage.simulator.arrivals(alertId)).filter(({ at }) => at > answeredAt + STOPPED_WITHIN_MS);
      const given = (await stage.ledger.recipients(alertId)).some(({ result }) => result === 's');
      return [
        ...(late.length > 0 ? [`${late.length} were asked later than ${STOPPED_WITHIN_MS} ms after the stop`] : []),
        ...(given ? [] : ['nobody was left to be stopped']),
      ];
    },
  });
}

function found(): Scenario {
  return waveUnder({
    name: 'found-pressed',
    breaks: 'the child is found in the midst of the wave, with batches in flight',
    short: true,
    ends: true,
    strike: async (stage, { alertId }) => (await stage.officers()).verifier.endFound(alertId),
    after: everyoneKnows,
  });
}

function foundAndKilled(): Scenario {
  return waveUnder({
    name: 'found-and-worker-killed',
    breaks: 'the child is found in the midst of the wave, and a worker is killed right after',
    ends: true,
    strike: async (stage, { alertId }) => {
      await (await stage.officers()).verifier.endFound(alertId);
      await stage.killWorker(stage.workers[0] as Process<unknown>);
      await stage.startWorker();
    },
    bit: ({ lostLeases }) => lostLeases > 0,
    after: everyoneKnows,
  });
}

/** Whoever was sent the alert was sent its ending, by the simulator alone. */
async function everyoneKnows(stage: Stage, { alertId }: Wave): Promise<string[]> {
  const arrivals = await stage.simulator.arrivals(alertId);
  const tokens = (kind: string) => new Set(arrivals.filter((each) => each.kind === kind).map(({ token }) => token));
  const uninformed = tokens('alert').difference(tokens('found'));
  return uninformed.size > 0 ? [`${uninformed.size} were asked and not told that the child was found`] : [];
}
