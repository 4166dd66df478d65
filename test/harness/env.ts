import { Redis } from 'ioredis';
import { type Env, readEnv } from '#platform';
import type { Simulator } from '../../apps/fcm-simulator/src/simulator.ts';

/** A Redis database of this Jest worker's own: test files of one worker run one after the other. */
export function redisUrl(): string {
  const url = process.env['REDIS_URL'];
  if (!url) throw new Error('REDIS_URL is not set: run the tests by `npm test`, or see `npm run services`');
  return Object.assign(new URL(url), { pathname: `/${process.env['JEST_WORKER_ID'] ?? 1}` }).href;
}

/** Empties {@link redisUrl}'s database. @returns its URL */
export async function emptyRedis(): Promise<string> {
  const redis = new Redis(redisUrl());
  await redis.flushdb();
  await redis.quit();
  return redisUrl();
}

/** Settings for parts under test; what is not given has the product's default, but logs are silent. */
export function testEnv(databaseUrl: string, more: Record<string, string> = {}): Env {
  return readEnv({
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: '6',
    REDIS_URL: redisUrl(),
    PUSH_RAMP_SECONDS: '0',
    PORT: '0',
    PUBLIC_PORT: '0',
    WORKER_PORT: '0',
    ...more,
  });
}

/** What points the push gateway at a simulator. */
export function simulatorEnv(simulator: Simulator): Record<string, string> {
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = simulator.credentialsPath;
  return { FCM_ENDPOINT: simulator.fcmUrl, FCM_CA: simulator.caPath, FCM_PROJECT_ID: simulator.project };
}
