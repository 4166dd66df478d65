import { SetupError } from './setup-error.mjs';

const TIMEOUT_MS = 5_000;

/**
 * Runs `work` on a connection of its own. The driver is loaded here, late, because the packages may have to be installed first.
 * @template T
 * @param {string} url
 * @param {(client: import('pg').Client) => Promise<T>} work
 */
export async function withDatabase(url, work) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: TIMEOUT_MS });
  client.on('error', () => {}); // a lost connection also fails the query that is waiting on it
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** @param {string} url */
export async function pingRedis(url) {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: TIMEOUT_MS });
  redis.on('error', () => {}); // connect() and ping() reject with it too
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

/** Checks a database that was given to us. @param {string} url */
export async function checkGivenDatabase(url) {
  const known = await named('DATABASE_URL', url, () =>
    withDatabase(url, (client) => client.query("select 1 from pg_available_extensions where name = 'postgis'")),
  );
  if (known.rowCount === 0) throw new SetupError(`DATABASE_URL (${placeOf(url)}): that server has no PostGIS.`);
}

/** Checks a Redis that was given to us. @param {string} url */
export const checkGivenRedis = (url) => named('REDIS_URL', url, () => pingRedis(url));

async function named(variable, url, work) {
  try {
    return await work();
  } catch (error) {
    const reason = error.errors?.[0]?.message || error.message || error.code;
    throw new SetupError(`${variable} (${placeOf(url)}) does not answer: ${reason}`);
  }
}

/** A URL's host, port and path: all of it that may be shown. */
function placeOf(url) {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'not a URL';
  }
}
