import { join } from 'node:path';
import { checkGivenDatabase, checkGivenRedis } from './answers.mjs';
import { startContainers } from './containers.mjs';
import { findPostgres, findRedis } from './programs.mjs';
import { tailOf } from './processes.mjs';
import { readJson, writeJson } from './purpose.mjs';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * PostgreSQL and Redis for one run: what the environment names is used as it is, the rest is started.
 * @param {Awaited<ReturnType<import('./purpose.mjs').takePurpose>>} purpose
 * @param {{ fresh?: boolean, root: string, env?: NodeJS.ProcessEnv }} options
 */
export async function startServers(purpose, { fresh = false, root, env = process.env }) {
  const given = { postgres: env.DATABASE_URL, redis: env.REDIS_URL };
  const ports = readJson(join(purpose.dir, 'ports.json')) ?? {};
  const started = [];
  const stop = async (hurry) => {
    for (const server of [...started].reverse()) await server.stop(hurry);
  };
  const keep = (server) => (started.push(server), server);
  try {
    await Promise.all([
      given.postgres && checkGivenDatabase(given.postgres),
      given.redis && checkGivenRedis(given.redis),
    ]);
    const missing = (!given.postgres && !findPostgres()) || (!given.redis && !findRedis());
    if (missing) return await startContainers(purpose, { root, given });
    const postgres = given.postgres
      ? { url: given.postgres }
      : keep(await startPostgres(purpose, findPostgres(), { fresh, port: ports.postgres }));
    const redis = given.redis
      ? { url: given.redis }
      : keep(await startRedis(purpose, findRedis(), { port: ports.redis }));
    writeJson(join(purpose.dir, 'ports.json'), { postgres: postgres.port, redis: redis.port });
    return { urls: { DATABASE_URL: postgres.url, REDIS_URL: redis.url }, broken: firstEnd(started), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Rejects when a server ends by itself. Settles never otherwise, so only race it. */
function firstEnd(servers) {
  const ends = servers.map(
    ({ name, child, log }) =>
      new Promise((_, reject) =>
        child.once('exit', (code, signal) =>
          reject(
            new SetupError(`${name} ended unexpectedly (${signal ?? `code ${code}`}). ${log} ends:\n${tailOf(log)}`),
          ),
        ),
      ),
  );
  const broken = Promise.race(ends);
  broken.catch(() => {}); // also rejects when we stop the servers ourselves
  return broken;
}
