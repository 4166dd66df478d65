import 'reflect-metadata';
import { readEnv, serve } from '#platform';
import { createPublic } from './create-public.ts';

const env = readEnv();
await serve(await createPublic(env), env.PUBLIC_PORT, env.HOST);
