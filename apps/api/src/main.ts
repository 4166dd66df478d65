import 'reflect-metadata';
import { readEnv, serve } from '#platform';
import { createApi } from './create-api.ts';

const env = readEnv();
await serve(await createApi(env), env.PORT, env.HOST);
