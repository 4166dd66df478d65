import 'reflect-metadata';
import { readEnv, serve, start } from '#platform';
import { createPublic } from './create-public.ts';

await start(async () => {
  const env = readEnv();
  await serve(await createPublic(env), env.PUBLIC_PORT, env.HOST);
});
