// Prepares the machine and runs the tests: npm test [-- Jest's arguments]
// With --unit only those that need neither server nor build.
import { installPeers } from './setup/bench-peers.mjs';
import { build } from './setup/build.mjs';
import { ensure } from './setup/ensure.mjs';
import { jest } from './setup/jest.mjs';
import { local, main, root } from './setup/main.mjs';
import { fetchPromtool } from './setup/promtool.mjs';
import { withServers } from './setup/with-servers.mjs';

const unit = process.argv.includes('--unit');
const args = process.argv.slice(2).filter((arg) => arg !== '--unit');
let result = { passed: 0, failed: 1 };

async function unitTests({ stop, hurry }) {
  await ensure({ root, local, stop, servers: false });
  const roots = ['apps', 'bench', 'libs'].flatMap((dir) => ['--roots', `<rootDir>/${dir}`]);
  result = await jest([...args, ...roots], { root, local, stop, hurry, urls: {} });
  return result.code;
}

async function allTests(requests) {
  const { stop } = requests;
  await ensure({ root, local, stop, browser: true });
  await installPeers({ root, local, stop });
  await fetchPromtool({ local, stop });
  await build({ root, local, stop });
  return withServers({ root, local, name: 'test', fresh: true }, requests, async (run) => {
    result = await jest(args, { root, local, ...run });
    return result.code;
  });
}

await main(unit ? unitTests : allTests, () => console.log(`${result.passed} passed, ${result.failed} failed`));
