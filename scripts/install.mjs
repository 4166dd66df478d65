// Installs all that the demo and the tests need, and starts nothing.
import { ensure } from './setup/ensure.mjs';
import { local, main, root } from './setup/main.mjs';

await main(async ({ stop }) => {
  await ensure({ root, local, stop, browser: true });
  return 0;
});
