// Prepares the machine, breaks a deployment of its own and counts: npm run chaos [-- --list] [-- --short] [-- name …]
// The last line is one JSON object; the exit code is 0 only when every promise was kept.
import { build } from './setup/build.mjs';
import { ensure } from './setup/ensure.mjs';
import { local, main, root } from './setup/main.mjs';
import { nodeOf } from './setup/packages.mjs';
import { runApp } from './setup/run-app.mjs';

const command = [nodeOf(root), '--no-warnings', 'test/chaos/main.ts', ...process.argv.slice(2)];

await main(async ({ stop, hurry, code }) => {
  // Its servers are its own whatever the environment names: it kills them.
  await ensure({ root, local, stop, env: {} });
  await build({ root, local, stop });
  return (await runApp(command, { root, urls: {}, stop, hurry })) ?? code();
});
