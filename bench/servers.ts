import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Client } from 'pg';

/** The PostgreSQL and the Redis of a run, which the environment names. */
export class Servers {
  readonly redisUrl: string;
  readonly #databaseUrl: string;
  readonly #made: string[] = [];
  readonly #root: string;

  constructor(root: string, env: NodeJS.ProcessEnv) {
    this.#root = root;
    this.#databaseUrl = env['DATABASE_URL'] ?? '';
    this.redisUrl = env['REDIS_URL'] ?? '';
  }

  /** A new database with the present schema. @returns its address */
  async database(name: string): Promise<string> {
    const own = `bench_${name}`;
    await this.#ask(`DROP DATABASE IF EXISTS ${own} WITH (FORCE)`);
    await this.#ask(`CREATE DATABASE ${own}`);
    this.#made.push(own);
    const url = new URL(this.#databaseUrl);
    url.pathname = `/${own}`;
    await promisify(execFile)(process.execPath, [join(this.#root, 'dist/apps/cli/src/main.js'), 'migrate', 'up'], {
      cwd: this.#root,
      env: { ...process.env, DATABASE_URL: url.href },
    });
    return url.href;
  }

  async versions(): Promise<{ readonly postgres: string; readonly redis: string }> {
    const [row] = await this.#ask<{ version: string }>('SELECT version()');
    const redis = new Redis(this.redisUrl);
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
    redis.disconnect();
    return { postgres: row?.version.split(' on ')[0] ?? 'unknown', redis: version };
  }

  /** Leaves nothing behind. */
  async close(): Promise<void> {
    for (const name of this.#made.splice(0)) await this.#ask(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  async #ask<Answer>(sql: string): Promise<Answer[]> {
    const client = new Client({ connectionString: this.#databaseUrl });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Answer[];
    } finally {
      await client.end();
    }
  }
}
