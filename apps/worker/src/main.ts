import 'reflect-metadata';
import { readEnv, serve } from '#platform';
import { createWorker } from './create-worker.ts';

const env = readEnv();
await serve(await createWorker(env), env.WORKER_PORT, env.HOST);
