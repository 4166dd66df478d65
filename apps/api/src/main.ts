import 'reflect-metadata';
import { readEnv } from '#platform';
import { createApi } from './create-api.ts';

const env = readEnv();
const app = await createApi(env);
app.enableShutdownHooks();
// A parent process that vanished must not leave this one behind.
process.once('disconnect', () => void app.close());
await app.listen(env.PORT, env.HOST);
process.send?.({ ready: true, url: await app.getUrl() });
