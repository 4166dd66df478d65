// Prepares the machine and attacks a deployment of its own: npm run hostile [-- --requests N] [-- --seed S]
// The last line is one JSON object; the exit code is 0 only when nothing was found.
import { build } from './setup/build.mjs';
import { ensure } from './setup/ensure.mjs';
import { migrate } from './setup/migrate.mjs';
import { local, main, root } from './setup/main.mjs';
import { nodeOf } from './setup/packages.mjs';
import { runApp } from './setup/run-app.mjs';
import { withServers } from './setup/with-servers.mjs';

const command = [nodeOf(root), '--no-warnings', 'test/hostile/main.ts', ...process.argv.slice(2)];

await main(async (requests) => {
  const { stop } = requests;
  await ensure({ root, local, stop });
  await build({ root, local, stop });
  return withServers({ root, local, name: 'hostile', fresh: true }, requests, async (run) => {
    await migrate({ root, local, stop, urls: run.urls });
    return runApp(command, { root, ...run });
  });
});
