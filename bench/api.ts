import { randomBytes } from 'node:crypto';
import type { Process } from '../test/harness/deployment.ts';
import type { Bench } from './part.ts';

/** Random, as production demands. */
export const SECRET_KEY = randomBytes(32).toString('base64');

/** One api as in production: what it logs, checks and counts it does here, but for the bound on one network, from which all come. */
export function startApi(bench: Bench, databaseUrl: string): Promise<Process<{ readonly url: string }>> {
  return bench.deployment().start('api', 'dist/apps/api/src/main.js', {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    DEPLOYMENT: 'demo',
    DATABASE_URL: databaseUrl,
    REDIS_URL: bench.redisUrl,
    PORT: '0',
    RATE_LIMIT_FACTOR: '1000',
    SECRET_KEY,
  });
}
