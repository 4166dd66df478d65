// Prepares the machine and plays the demo: npm run demo [-- --once] [-- --devices N]
import { demo } from './setup/demo.mjs';
import { local, main, root } from './setup/main.mjs';
import { nodeOf } from './setup/packages.mjs';

const command = [nodeOf(root), 'dist/apps/demo/src/main.js', ...process.argv.slice(2)];
await main((requests) => demo({ root, local }, requests, command));
