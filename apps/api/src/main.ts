import 'reflect-metadata';
import { readEnv, serve, start } from '#platform';
import { createApi } from './create-api.ts';

await start(async () => {
  const env = readEnv();
  await serve(await createApi(env), env.PORT, env.HOST);
});
