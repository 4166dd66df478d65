import { readEnv } from '#platform';
import { createPublic } from './create-public.ts';

const env = readEnv();
const app = await createPublic(env);
await app.listen(env.PUBLIC_PORT, env.HOST);
process.send?.({ ready: true, url: await app.getUrl() });
// Whoever started this process is gone.
process.once('disconnect', () => void app.close());
