import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from './ports.mjs';
import { SetupError } from './setup-error.mjs';

const run = promisify(execFile);

/** Whether a Docker engine answers and has the compose plugin. */
export const hasEngine = () =>
  spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0 &&
  spawnSync('docker', ['compose', 'version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

/**
 * Starts docker-compose.yml's PostgreSQL and Redis under a project name of the purpose's own.
 * @param {Awaited<ReturnType<import('./purpose.mjs').takePurpose>>} purpose
 * @param {{ root: string, given: { postgres?: string, redis?: string } }} options given: URLs of what is not to be started
 */
export async function startContainers(purpose, { root, given }) {
  const secrets = purpose.secrets();
  const ports = { postgres: await freePort(), redis: await freePort() };
  const env = {
    ...process.env,
    POSTGRES_PASSWORD: secrets.postgres,
    REDIS_PASSWORD: secrets.redis,
    POSTGRES_PORT: String(ports.postgres),
    REDIS_PORT: String(ports.redis),
  };
  const compose = (...args) =>
    run('docker', ['compose', '-p', `golden72-${purpose.name}`, ...args], { cwd: root, env });
  const wanted = ['postgres', 'redis'].filter((name) => !given[name]);
  // A killed run leaves its containers up, on other ports: compose would only recreate them, slowly.
  await compose('down', '--remove-orphans').catch(() => {});
  try {
    await compose('up', '-d', '--wait', ...wanted);
  } catch (error) {
    await compose('down').catch(() => {});
    throw new SetupError(`docker compose could not start ${wanted.join(' and ')}:\n${error.stderr || error.message}`);
  }
  return {
    urls: {
      DATABASE_URL: given.postgres ?? `postgres://golden72:${secrets.postgres}@127.0.0.1:${ports.postgres}/golden72`,
      REDIS_URL: given.redis ?? `redis://:${secrets.redis}@127.0.0.1:${ports.redis}`,
    },
    broken: new Promise(() => {}),
    stop: () => compose('down'),
  };
}
