import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shiftLedger } from '../harness/shifted.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { type Wave, waveUnder } from './wave-fault.ts';

const AWAY_MINUTES = 20;
/** Two sweeps and what they take. */
const HELD_MS = 15_000;
const SILENCE_MS = 8_000;
/** So long the wave goes on after the backup. */
const FORGOTTEN_MS = 3_000;

export const outages: readonly Scenario[] = [
  waveUnder({
    name: 'outage-20-min',
    breaks: `all workers are away for ${AWAY_MINUTES} min (the ledger's times are shifted)`,
    halts: true,
    strike: async (stage, wave, broken) => {
      await Promise.all(stage.workers.map((worker) => stage.killWorker(worker)));
      await shiftLedger(stage.ledger, wave.alertId, AWAY_MINUTES);
      const before = await acceptedOf(stage, wave);
      broken();
      for (let n = 0; n < stage.setting.workers; n++) await stage.startWorker();
      await demandHeld(stage, wave, 'gap');
      await stage.last(SILENCE_MS);
      const sent = (await acceptedOf(stage, wave)) - before;
      if (sent > 0) throw new Error(`${sent} were woken by an alert that had been silent for ${AWAY_MINUTES} min`);
      await resume(stage, wave);
    },
    bit: ({ lostLeases }) => lostLeases > 0,
  }),
  {
    ...waveUnder({
      name: 'database-restored',
      breaks: 'the database is lost and restored from a backup that knows less than the phones',
      staysHeld: true,
      halts: true,
      strike: async (stage, wave, broken) => {
        const backups = join(stage.run.dir, `backups-${stage.database}`);
        await stage.cli('backup', '--to', backups);
        await stage.last(FORGOTTEN_MS);
        await Promise.all([...stage.workers.map((worker) => stage.killWorker(worker)), stage.killApi()]);
        const before = await acceptedOf(stage, wave);
        await stage.run.servers.drop(stage.database);
        await stage.run.servers.ask(`CREATE DATABASE ${stage.database}`);
        const [backup = ''] = await readdir(backups);
        await stage.cli('restore', '--from', join(backups, backup));
        broken();
        await stage.startApi();
        for (let n = 0; n < stage.setting.workers; n++) await stage.startWorker();
        await demandHeld(stage, wave, 'restored');
        await stage.last(SILENCE_MS);
        const sent = (await acceptedOf(stage, wave)) - before;
        if (sent > 0) throw new Error(`${sent} were asked by an alert that does not know whom it has asked`);
        const { settled } = await stage.ledger.progress(wave.alertId);
        return settled < before;
      },
    }),
    spoils: true,
  },
];

const acceptedOf = async (stage: Stage, { alertId }: Wave) => (await stage.simulator.alert(alertId)).accepted;

/** The alert is held by the system, and an officer is told. */
async function demandHeld(stage: Stage, { alertId }: Wave, reason: string): Promise<void> {
  const held = await stage.until(async () => {
    const [alert] = await stage.ledger.query<{ reason: string | null }>(
      'SELECT held_reason AS reason FROM alerts WHERE id = $1',
      [alertId],
    );
    return alert?.reason;
  }, HELD_MS);
  if (held !== reason) throw new Error(`the alert is not held for a ${reason}: ${held ?? 'it goes on'}`);
  const reviews = (await stage.insist(async () => (await stage.officers()).verifier.toReview())) ?? [];
  const told = reviews.some(({ act, thing }) => act === 'alert.hold' && thing === `alert:${alertId}`);
  if (!told) throw new Error('no officer is told of the hold');
}

/** Two officers let it go on. */
async function resume(stage: Stage, { alertId }: Wave): Promise<void> {
  const { liaison, verifier } = await stage.officers();
  await verifier.approveChange(alertId, await liaison.proposeResume(alertId));
}
