import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runLogged } from './run-logged.mjs';
import { say, step } from './say.mjs';

/**
 * Installs what only the benchmark measures beside, in a folder of its own: the project does not depend on it. Its scripts are
 * not run.
 * @param {{ root: string, local: string, stop: AbortSignal }} place
 */
export async function installPeers({ root, local, stop }) {
  const peers = join(root, 'bench/peers');
  if (existsSync(join(peers, 'node_modules'))) return;
  const args = ['ci', '--ignore-scripts', '--prefix', peers, '--no-audit', '--no-fund', '--loglevel=error'];
  const log = join(local, 'npm-peers.log');
  say('Installing what is measured beside Golden72, into bench/peers/.');
  await step('peers', () => runLogged('npm', args, { cwd: root, log, stop, name: 'npm ci of bench/peers' }));
}
