// Keeps a private PostgreSQL and Redis up for development: npm run services [-- NAME]
// Each name (default: dev) has servers and data of its own, in .local/NAME.
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ensure } from './setup/ensure.mjs';
import { local as usual, main, root } from './setup/main.mjs';
import { say } from './setup/say.mjs';
import { withServers } from './setup/with-servers.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { local: { type: 'string', default: usual } },
});
const [name = 'dev'] = positionals;
const { local } = values;

await main(async (requests) => {
  await ensure({ root, local, stop: requests.stop });
  return withServers({ root, local, name }, requests, async ({ urls, stop }) => {
    console.log(`DATABASE_URL=${urls.DATABASE_URL}\nREDIS_URL=${urls.REDIS_URL}`);
    say('Up until Ctrl-C.');
    if (!stop.aborted) await once(stop, 'abort');
    return 0;
  });
});
