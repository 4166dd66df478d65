import { Answered } from '../harness/officer.ts';
import { TOWN } from './population.ts';
import type { Scenario } from './scenario.ts';
import { waveUnder } from './wave-fault.ts';

/** Phones of the alert whose release is cut short. */
const CUT_SHORT_PHONES = 500;
/** The next sweep of a worker relays what is left, and a push takes its time. */
const RELAYED_MS = 10_000;

export const api: readonly Scenario[] = [
  waveUnder({
    name: 'api-killed',
    breaks: 'the api is killed (SIGKILL) and started again while an officer releases an alert',
    strike: async (stage, _wave, broken) => {
      broken();
      await stage.killApi();
      await stage.startApi();
    },
  }),
  waveUnder({
    name: 'api-killed-before-enqueue',
    breaks: 'the api is killed between the commit of a release and the job that it promised',
    short: true,
    strike: async (stage) => {
      const filed = await stage.file(await stage.ledger.radiusOf(TOWN, CUT_SHORT_PHONES));
      const { verifier } = await stage.officers();
      // The relay has taken the promise in a transaction, and Redis never says that it has the job.
      stage.network.apiRedis.turn('silent');
      await verifier.approve(filed).catch(ignoreSilence);
      const released = await stage.ledger.released(filed.caseId);
      const promises = await stage.ledger.query('SELECT 1 FROM outbox');
      await stage.killApi();
      stage.network.apiRedis.turn('fair');
      const killedAt = Date.now();
      await stage.startApi();
      if (!released || promises.length === 0) return false;
      const first = await stage.until(
        async () => (await stage.simulator.alert(released.alertId)).firstAcceptedAt,
        RELAYED_MS,
      );
      if (first === null) throw new Error(`an alert released ${Date.now() - killedAt} ms ago did not start`);
      return true;
    },
    after: async (stage) =>
      (await stage.ledger.query('SELECT 1 FROM outbox')).map(() => 'a promise is left in the outbox'),
  }),
];

/** The release is committed, whether or not it could be answered. */
function ignoreSilence(error: unknown): void {
  if (error instanceof Answered && error.status < 500) throw error;
}
