import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takePurpose } from '../../scripts/setup/purpose.mjs';
import { Deployment } from '../harness/deployment.ts';
import { storeDevices } from '../harness/stored-devices.ts';
import { Services } from '../hostile/services.ts';
import { phones, PHONES, TOWN } from './population.ts';
import { Servers } from './servers.ts';
import type { Run } from './stage.ts';

const TEMPLATE = 'chaos_template';

interface World {
  /** Of the run's folder under .local/. */
  readonly name: string;
  readonly patience: number;
  readonly say: (line: string) => void;
}

/**
 * Does work on servers of its own and a database full of phones, and ends all that it started. SIGTERM and SIGINT end it early.
 * @returns the work's exit code; 1 when it failed or was ended
 */
export async function runInWorld(world: World, work: (run: Run) => Promise<number>): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  try {
    return await run(world, stopping.signal, work);
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.say(stopping.signal.aborted ? 'Stopped.' : failure);
    return 1;
  }
}

async function run(
  { name, patience, say }: World,
  stop: AbortSignal,
  work: (run: Run) => Promise<number>,
): Promise<number> {
  const root = join(import.meta.dirname, '../..');
  const purpose = await takePurpose(join(root, '.local'), name);
  const dir = await mkdtemp(join(tmpdir(), `golden72-${name}-`));
  const deployment = new Deployment(root, dir, stop);
  let code = 1;
  try {
    const servers = await Servers.start(purpose);
    try {
      const filled = await fill(root, servers, say);
      code = await work({ root, dir, servers, deployment, ...filled, say, patience, stop });
    } finally {
      await deployment.stop();
      await servers.stop();
    }
  } finally {
    purpose.release();
    if (code === 0 || stop.aborted) await rm(dir, { recursive: true, force: true });
    else say(`What the processes logged is kept in ${dir}`);
  }
  return code;
}

/** A database with phones around a town, an agency and its officers. */
async function fill(
  root: string,
  servers: Servers,
  say: World['say'],
): Promise<Pick<Run, 'template' | 'logins' | 'secretKey'>> {
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
