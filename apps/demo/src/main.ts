import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AccessModule } from '#access';
import { AudienceModule, DeviceImport } from '#audience';
import { PlatformModule, readEnv } from '#platform';
import { startCity } from './city.ts';
import { makeLogins } from './database-logins.ts';
import { LAST_SEEN } from './child.ts';
import { Ledger } from './ledger.ts';
import { Narrator } from './narrator.ts';
import { Night, VISITORS } from './night.ts';
import { type DemoOptions, readOptions } from './options.ts';
import { populate } from './population.ts';
import { Processes } from './processes.ts';
import { hire, type SignIn } from './staff.ts';
import { summarise } from './summary.ts';

/** The wave lasts about as long as people watch. */
const WAVE_S = 18;

@Module({})
class DemoModule {}

async function play(options: DemoOptions): Promise<number> {
  const local = join(process.cwd(), '.local', 'demo');
  const env = { LOG_LEVEL: 'warn', DEPLOYMENT: 'demo', SECRET_KEY: randomBytes(32).toString('base64') };
  Object.assign(process.env, env);
  const narrator = new Narrator();
  const processes = new Processes(join(local, 'logs'));
  const ledger = await Ledger.open(readEnv().DATABASE_URL);
  const interrupted = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'].map((name) => once(process, name)));
  try {
    const playing = perform(options, { narrator, processes, ledger, env, local });
    const ended = await Promise.race([playing, interrupted.then(() => null), processes.death]);
    if (ended === null) return 130;
    if (!options.once) await Promise.race([interrupted, processes.death]);
    return ended ? 0 : 1;
  } finally {
    await processes.stop();
    await ledger.close();
  }
}

interface Stage {
  readonly narrator: Narrator;
  readonly processes: Processes;
  readonly ledger: Ledger;
  readonly env: Readonly<Record<string, string>>;
  readonly local: string;
}

/** @returns whether the books balance. */
async function perform(options: DemoOptions, { narrator, processes, ledger, env, local }: Stage): Promise<boolean> {
  if (await ledger.isUsed()) throw new Error('The database is in use. Give the demo an empty one in DATABASE_URL.');
  narrator.chapter('A country falls asleep');
  const signIns = await prepare(options.devices - VISITORS, narrator);
  const nearby = await ledger.oracle(LAST_SEEN, 120_000);
  const quota = Math.max(600, Math.ceil((nearby / WAVE_S) * 60));
  const logins = await makeLogins(readEnv());
  const city = await startCity(processes, env, local, quota, logins);
  narrator.say(`Up: simulator, api, public page and worker; quota ${quota} messages a minute.`);
  narrator.say(
    logins
      ? 'Each reaches the database by a login of its own, with no more than its rights.'
      : 'All reach the database as its owner.',
  );
  const addresses = [
    `api          ${city.api}   (${city.api}/openapi.json)`,
    `public page  ${city.publicPage}/a/<slug>`,
    `simulator    ${city.simulator.control}/control/stats`,
    ...signIns.map(
      ({ login, password, roles }) => `sign in as   ${login.padEnd(9)} ${password}  (${roles.join(', ')})`,
    ),
  ];
  narrator.list(addresses);
  const report = await new Night(city, ledger, narrator, signIns, options.devices).run();
  return summarise(report, city, options);
}

/** Fills the country with phones and the agency with officers. */
async function prepare(devices: number, narrator: Narrator): Promise<SignIn[]> {
  const imports = [PlatformModule.forRoot(readEnv(), 'demo'), AccessModule, AudienceModule];
  const context = await NestFactory.createApplicationContext({ module: DemoModule, imports }, { logger: ['error'] });
  try {
    const { towns, devices: phones } = populate(devices);
    const population = { towns, devices: [...phones] };
    narrator.say(
      `${devices + VISITORS} phones over ${population.towns} real Chinese towns, by population (GeoNames, CC-BY 4.0).`,
    );
    await narrator.progress('phones', devices, (tell) =>
      context.get(DeviceImport, { strict: false }).run(population.devices, tell),
    );
    return await hire(context);
  } finally {
    await context.close();
  }
}

process.exitCode = await play(readOptions(process.argv)).catch((error: unknown) => {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
// Whatever a failure left open must not keep the terminal.
process.exit();
