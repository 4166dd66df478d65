// Prepares the machine and measures against peers in one run: npm run bench [-- part …] [-- --size small|full]
// The last line is one JSON object; bench/results/ keeps all of it.
import { installPeers } from './setup/bench-peers.mjs';
import { build } from './setup/build.mjs';
import { ensure } from './setup/ensure.mjs';
import { local, main, root } from './setup/main.mjs';
import { nodeOf } from './setup/packages.mjs';
import { runApp } from './setup/run-app.mjs';
import { withServers } from './setup/with-servers.mjs';

const command = [nodeOf(root), '--no-warnings', 'bench/main.ts', ...process.argv.slice(2)];

await main(async (requests) => {
  const { stop } = requests;
  await ensure({ root, local, stop });
  await build({ root, local, stop });
  await installPeers({ root, local, stop });
  return withServers({ root, local, name: 'bench', fresh: true }, requests, (run) => runApp(command, { root, ...run }));
});
