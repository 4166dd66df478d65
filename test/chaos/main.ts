import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { takePurpose } from '../../scripts/setup/purpose.mjs';
import { Deployment } from '../harness/deployment.ts';
import { storeDevices } from '../harness/stored-devices.ts';
import { Services } from '../hostile/services.ts';
import { phones, PHONES, TOWN } from './population.ts';
import { tableOf } from './report.ts';
import { runAll } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { Servers } from './servers.ts';
import type { Run } from './stage.ts';

const TEMPLATE = 'chaos_template';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    patience: { type: 'string', default: '1' },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

if (values.list) {
  for (const { name, breaks, short } of SCENARIOS) console.log(`${name.padEnd(28)}${breaks}${short ? ' (short)' : ''}`);
  process.exit(0);
}
const chosen = choose();
const patience = Number(values.patience);
if (!(patience >= 1)) {
  say('--patience is a number of at least 1.');
  process.exit(1);
}

function choose(): readonly Scenario[] {
  if (positionals.length > 0) return positionals.map(scenarioOf);
  return SCENARIOS.filter(({ short = false }) => short || !values.short);
}

function scenarioOf(given: string): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === given);
  if (scenario) return scenario;
  say(`There is no scenario ${given}: see --list.`);
  return process.exit(1);
}

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
process.exitCode = await main().catch((error: unknown) => {
  say(stopping.signal.aborted ? 'Stopped.' : error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
});

async function main(): Promise<number> {
  const root = join(import.meta.dirname, '../..');
  const purpose = await takePurpose(join(root, '.local'), values.short ? 'chaos-short' : 'chaos');
  const dir = await mkdtemp(join(tmpdir(), 'golden72-chaos-'));
  const deployment = new Deployment(root, dir, stopping.signal);
  let code = 1;
  try {
    const servers = await Servers.start(purpose);
    try {
      code = await report({
        root,
        dir,
        servers,
        deployment,
        ...(await world(root, servers)),
        say,
        patience,
        stop: stopping.signal,
      });
    } finally {
      await deployment.stop();
      await servers.stop();
    }
  } finally {
    purpose.release();
    if (code === 0 || stopping.signal.aborted) await rm(dir, { recursive: true, force: true });
    else say(`What the processes logged is kept in ${dir}`);
  }
  return code;
}

/** A database with phones around a town, an agency and its officers. */
async function world(root: string, servers: Servers): Promise<Pick<Run, 'template' | 'logins' | 'secretKey'>> {
  const secretKey = randomBytes(32).toString('base64');
  say(`${PHONES} phones around a town, and officers …`);
  await servers.migrated(root, TEMPLATE);
  const env = {
    ...process.env,
    DATABASE_URL: servers.databaseUrl(TEMPLATE),
    REDIS_URL: servers.redisUrl(),
    SECRET_KEY: secretKey,
  };
  await storeDevices(env.DATABASE_URL, phones());
  const services = await Services.open(env);
  try {
    const agencyId = await services.agency('Chaos', TOWN);
    const liaison = await services.officer(agencyId, ['liaison'], 'Chaos liaison');
    return {
      template: TEMPLATE,
      secretKey,
      logins: { liaison, verifier: await services.officer(agencyId, ['verifier'], 'Chaos verifier') },
    };
  } finally {
    await services.close();
  }
}

async function report(run: Run): Promise<number> {
  const told = await runAll(run, chosen);
  say(tableOf(told));
  console.log(JSON.stringify({ scenarios: told }));
  return told.every(({ ok }) => ok) ? 0 : 1;
}
