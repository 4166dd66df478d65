// Prepares the machine and lets a deployment of its own run under mixed traffic: npm run soak [-- --minutes N] [-- --help]
// The last line is one JSON object; the exit code is 0 only when nothing grew that should not.
import { build } from './setup/build.mjs';
import { ensure } from './setup/ensure.mjs';
import { local, main, root } from './setup/main.mjs';
import { nodeOf } from './setup/packages.mjs';
import { runApp } from './setup/run-app.mjs';

const command = [nodeOf(root), '--no-warnings', 'test/soak/main.ts', ...process.argv.slice(2)];

await main(async ({ stop, hurry, code }) => {
  // What it measures must be nobody else's: its servers are its own whatever the environment names.
  await ensure({ root, local, stop, env: {} });
  await build({ root, local, stop });
  return (await runApp(command, { root, urls: {}, stop, hurry })) ?? code();
});
