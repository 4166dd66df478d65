import { takePurpose } from './purpose.mjs';
import { startServers } from './private-servers.mjs';

/**
 * Takes a purpose, starts its servers, runs `work`, and whatever happens stops them again.
 * @param {{ root: string, local: string, name: string, fresh?: boolean, env?: NodeJS.ProcessEnv }} place
 * @param {ReturnType<import('./stop-requests.mjs').listenForStop>} requests
 * @param {(run: { urls: { DATABASE_URL: string, REDIS_URL: string }, purpose: object, stop: AbortSignal, hurry: AbortSignal }) => Promise<number | undefined>} work
 *   ends soon after `stop` is raised; undefined: ended by our asking
 * @returns {Promise<number>} the exit code
 */
export async function withServers({ root, local, name, fresh, env }, requests, work) {
  const purpose = await takePurpose(local, name);
  try {
    return await whileServed(purpose, { root, fresh, env }, requests, work);
  } finally {
    purpose.release();
  }
}

async function whileServed(purpose, options, requests, work) {
  const servers = await startServers(purpose, options);
  const abandoned = new AbortController(); // the servers are gone: so must be the work
  const stop = AbortSignal.any([requests.stop, abandoned.signal]);
  try {
    const working = requests.stop.aborted
      ? Promise.resolve()
      : work({ urls: servers.urls, purpose, stop, hurry: requests.hurry });
    const code = await Promise.race([working, servers.broken]).catch(async (error) => {
      abandoned.abort();
      await working.catch(() => {});
      throw error;
    });
    return code ?? requests.code();
  } finally {
    await servers.stop(requests.hurry);
  }
}
