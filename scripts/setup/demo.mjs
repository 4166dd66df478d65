import { build } from './build.mjs';
import { ensure } from './ensure.mjs';
import { runApp } from './run-app.mjs';
import { migrate } from './migrate.mjs';
import { withServers } from './with-servers.mjs';

/**
 * Prepares the machine and runs a program beside a private PostgreSQL and Redis.
 * @param {{ root: string, local: string }} place
 * @param {ReturnType<import('./stop-requests.mjs').listenForStop>} requests
 * @param {string[]} command the program that plays the demo, and its arguments
 */
export async function demo({ root, local }, requests, command) {
  const { stop } = requests;
  await ensure({ root, local, stop });
  await build({ root, local, stop });
  return withServers({ root, local, name: 'demo', fresh: true }, requests, async (run) => {
    await migrate({ root, local, stop, urls: run.urls });
    return runApp(command, { root, ...run });
  });
}
