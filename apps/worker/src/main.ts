import 'reflect-metadata';
import { readEnv, serve, start } from '#platform';
import { createWorker } from './create-worker.ts';

await start(async () => {
  const env = readEnv();
  await serve(await createWorker(env), env.WORKER_PORT, env.HOST);
});
