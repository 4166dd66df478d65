import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { waveUnder } from './wave-fault.ts';

const GONE_MS = 3_000;
const SILENT_MS = 20_000;
/** What was on the wire has been answered by then. */
const EBB_MS = 3_000;

export const redis: readonly Scenario[] = [
  waveUnder({
    name: 'redis-restarted-empty',
    breaks: 'Redis is killed (SIGKILL) and started again three seconds later, empty',
    short: true,
    halts: true,
    strike: async (stage, { alertId }, broken) => {
      await stage.run.servers.killRedis();
      broken();
      await stage.last(GONE_MS);
      const stood = await stands(stage, alertId);
      await stage.run.servers.startRedis();
      return stood;
    },
  }),
  waveUnder({
    name: 'redis-flushed',
    breaks: 'everything in Redis is deleted (FLUSHALL): queues, locks and the pacer’s state',
    strike: async (stage) => (await stage.run.servers.flushRedis()) > 0,
  }),
  waveUnder({
    name: 'redis-unreachable',
    breaks: 'Redis does not answer for 20 s: connections stand, and nothing passes',
    halts: true,
    strike: async (stage, { alertId }, broken) => {
      const { apiRedis, workerRedis } = stage.network;
      const connections = apiRedis.connections + workerRedis.connections;
      for (const proxy of [apiRedis, workerRedis]) proxy.turn('silent');
      const live = await liveAlerts(stage);
      broken();
      await stage.last(EBB_MS);
      const stood = await stands(stage, alertId, SILENT_MS - EBB_MS);
      if ((await liveAlerts(stage)) === live) throw new Error('no officer could release an alert meanwhile');
      for (const proxy of [apiRedis, workerRedis]) proxy.turn('fair');
      return connections > 0 && stood;
    },
    after: async (stage) =>
      (await stage.ledger.query('SELECT 1 FROM outbox')).map(() => 'a promise is left in the outbox'),
  }),
];

async function liveAlerts(stage: Stage): Promise<number> {
  return (await stage.ledger.query(`SELECT 1 FROM alerts WHERE state = 'live'`)).length;
}

/** Whether nothing more of the alert is sent for so long. */
async function stands(stage: Stage, alertId: string, ms = 0): Promise<boolean> {
  const before = await stage.simulator.alert(alertId);
  await stage.last(ms);
  return (await stage.simulator.alert(alertId)).accepted === before.accepted;
}
