import { Queue } from 'bullmq';
import { DISPATCH_JOBS } from '#dispatch';
import type { Process } from '../harness/deployment.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { waveUnder } from './wave-fault.ts';

const KILLS = 10;
const TIMES_GIVEN = 10;
const GONE_MS = 20_000;

/** Waits until batches are in hand again. */
async function busy(stage: Stage, alertId: string): Promise<void> {
  await stage.until(async () => (await stage.ledger.progress(alertId)).leased > 0, GONE_MS);
}

export const workers: readonly Scenario[] = [
  waveUnder({
    name: 'worker-killed',
    breaks: 'a worker is killed (SIGKILL) in the midst of its batches',
    short: true,
    strike: async (stage) => {
      await stage.killWorker(stage.workers[0] as Process<unknown>);
      await stage.startWorker();
    },
    bit: ({ lostLeases }) => lostLeases > 0,
  }),
  waveUnder({
    name: 'worker-killed-ten-times',
    breaks: 'ten workers are killed one after the other, each in the midst of its batches',
    phones: 4_500,
    strike: async (stage, wave, broken) => {
      for (let n = 0; n < KILLS; n++) {
        await busy(stage, wave.alertId);
        await stage.killWorker(stage.workers[0] as Process<unknown>);
        broken();
        await stage.startWorker();
      }
    },
    bit: ({ lostLeases }) => lostLeases >= KILLS,
  }),
  waveUnder({
    name: 'workers-all-killed',
    breaks: 'all workers are killed at once and started again',
    halts: true,
    strike: async (stage, _wave, broken) => {
      await Promise.all(stage.workers.map((worker) => stage.killWorker(worker)));
      broken();
      for (let n = 0; n < stage.setting.workers; n++) await stage.startWorker();
    },
    bit: ({ lostLeases }) => lostLeases > 0,
  }),
  waveUnder({
    name: 'worker-frozen',
    breaks: 'a worker stands still (SIGSTOP) until its leases are lost, and then goes on as if nothing had been',
    strike: async (stage, _wave, broken) => {
      const frozen = stage.workers[0] as Process<unknown>;
      frozen.signal('SIGSTOP');
      broken();
      await stage.until(async () => (await overdueLeases(stage)) > 0, GONE_MS);
      await stage.until(async () => (await overdueLeases(stage)) === 0, GONE_MS);
      frozen.signal('SIGCONT');
    },
    bit: ({ lostLeases }) => lostLeases > 0,
  }),
  waveUnder({
    name: 'rolling-restart',
    breaks: 'workers and api are restarted one after the other (SIGTERM)',
    phones: 6_000,
    strike: async (stage, _wave, broken) => {
      broken();
      for (const worker of stage.workers) {
        await stage.stopWorker(worker);
        await stage.startWorker();
      }
      await stage.stopApi();
      await stage.startApi();
    },
    bit: ({ provider }) => provider.sessions >= 2,
    after: async (stage, { alertId }, { lostLeases }) => {
      const { duplicates } = await stage.simulator.alert(alertId);
      return [
        ...(duplicates > 0 ? [`${duplicates} were sent again`] : []),
        ...(lostLeases > 0 ? [`${lostLeases} leases were not given back`] : []),
      ];
    },
  }),
  waveUnder({
    name: 'batch-given-twice',
    breaks: 'every batch is given to several workers, ten times over',
    strike: async (stage, { alertId }) => {
      let given = 0;
      for (let n = 0; n < TIMES_GIVEN; n++) given += await giveAgain(stage, alertId);
      return given > 0;
    },
    after: async (stage, { alertId }) => {
      const { duplicates } = await stage.simulator.alert(alertId);
      return duplicates > 0 ? [`${duplicates} were sent again`] : [];
    },
  }),
  {
    ...waveUnder({
      name: 'clock-off',
      breaks: "one worker's clock is five minutes fast and another's five minutes slow",
      arrange: async (stage) => {
        for (const worker of stage.workers) await stage.stopWorker(worker);
        await stage.startWorker(withClock(stage, 300));
        await stage.startWorker(withClock(stage, -300));
      },
      // Who takes the batches back has a wrong clock too.
      strike: async (stage) => {
        await stage.killWorker(stage.workers[0] as Process<unknown>);
        await stage.startWorker(withClock(stage, 300));
      },
      bit: ({ lostLeases }) => lostLeases > 0,
    }),
    spoils: true,
  },
];

/** Gives every batch that waits or is in hand to the workers twice more, under job ids that no feeder gives. @returns how many jobs */
async function giveAgain(stage: Stage, alertId: string): Promise<number> {
  const batches = await stage.ledger.query<{ batchId: number; epoch: number; waveId: number; band: number }>(
    `SELECT id::int AS "batchId", epoch - (state = 'leased')::int AS epoch, wave_id::int AS "waveId", band FROM batches
     WHERE alert_id = $1 AND state <> 'settled'`,
    [alertId],
  );
  const queue = new Queue(DISPATCH_JOBS.sendBatch.queue, { connection: { url: stage.run.servers.redisUrl() } });
  try {
    const jobs = batches.flatMap((data) =>
      ['x', 'y'].map((copy) => ({
        name: DISPATCH_JOBS.sendBatch.name,
        data,
        opts: { jobId: `${copy}-${data.batchId}-${data.epoch}`, removeOnComplete: true, removeOnFail: true },
      })),
    );
    await queue.addBulk(jobs);
    await stage.until(async () => (await queue.getWaitingCount()) === 0, GONE_MS);
    return jobs.length;
  } finally {
    await queue.close();
  }
}

async function overdueLeases(stage: Stage): Promise<number> {
  const rows = await stage.ledger.query<{ overdue: number }>(
    `SELECT count(*)::int AS overdue FROM batches WHERE state = 'leased' AND lease_until < now()`,
  );
  return rows[0]?.overdue ?? 0;
}

/** Seconds by which a process's `Date` is ahead. */
function withClock(stage: Stage, aheadS: number): NodeJS.ProcessEnv {
  const module = new URL('./shifted-clock.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--no-warnings --import ${module}`, CLOCK_AHEAD_S: String(aheadS) };
}
