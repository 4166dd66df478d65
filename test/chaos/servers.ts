import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from '../../scripts/setup/postgres.mjs';
import { findPostgres, findRedis, type PostgresTools } from '../../scripts/setup/programs.mjs';
import type { Purpose } from '../../scripts/setup/purpose.mjs';
import { type RedisServer, startRedis } from '../../scripts/setup/redis.mjs';

/** A PostgreSQL and a Redis to be killed, on ports and data that they keep. */
export class Servers {
  readonly #purpose: Purpose;
  readonly #tools: PostgresTools;
  readonly #redisProgram: string;
  #postgres: PostgresServer;
  #redis: RedisServer;

  private constructor(
    purpose: Purpose,
    programs: { readonly tools: PostgresTools; readonly redis: string },
    running: { readonly postgres: PostgresServer; readonly redis: RedisServer },
  ) {
    this.#purpose = purpose;
    this.#tools = programs.tools;
    this.#redisProgram = programs.redis;
    this.#postgres = running.postgres;
    this.#redis = running.redis;
  }

  static async start(purpose: Purpose): Promise<Servers> {
    const [tools, redis] = [findPostgres(), findRedis()];
    if (!tools || !redis)
      throw new Error('PostgreSQL with PostGIS and Redis must be installed: containers cannot be killed here.');
    const postgres = await startPostgres(purpose, tools, { fresh: true });
    try {
      return new Servers(purpose, { tools, redis }, { postgres, redis: await startRedis(purpose, redis) });
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  get redisPort(): number {
    return this.#redis.port;
  }

  /** Redis as it is reached by another port of this machine, e.g. a proxy's. */
  redisUrl(port = this.redisPort): string {
    return Object.assign(new URL(this.#redis.url), { port: String(port) }).href;
  }

  databaseUrl(database: string): string {
    return this.#postgres.urlOf(database);
  }

  /** A database with the present schema. */
  async migrated(root: string, database: string): Promise<void> {
    await this.ask(`CREATE DATABASE ${database}`);
    await promisify(execFile)(process.execPath, [join(root, 'dist/apps/cli/src/main.js'), 'migrate', 'up'], {
      cwd: root,
      env: { ...process.env, DATABASE_URL: this.databaseUrl(database), REDIS_URL: this.redisUrl() },
    });
  }

  async clone(template: string, database: string): Promise<void> {
    await this.drop(database);
    await this.ask(`CREATE DATABASE ${database} TEMPLATE ${template}`);
  }

  async drop(database: string): Promise<void> {
    await this.ask(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }

  /** Runs SQL that belongs to no database of its own, e.g. on all connections. */
  async ask<Row>(sql: string): Promise<Row[]> {
    const client = new Client({ connectionString: this.databaseUrl('postgres') });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** @returns how many keys are gone */
  async flushRedis(): Promise<number> {
    const redis = new Redis(this.redisUrl());
    const keys = await redis.dbsize();
    await redis.flushall();
    redis.disconnect();
    return keys;
  }

  /** Without a goodbye; nothing of it is kept. */
  async killRedis(): Promise<void> {
    await kill(this.#redis.child, 'SIGKILL');
  }

  async startRedis(): Promise<void> {
    const { port } = this.#redis;
    this.#redis = await startRedis(this.#purpose, this.#redisProgram, { port });
    if (this.#redis.port !== port) throw new Error(`Redis' port ${port} was taken meanwhile`);
  }

  /** An immediate shutdown: sessions are cut and nothing is written, as if the machine had lost its power. */
  async crashPostgres(): Promise<void> {
    await kill(this.#postgres.child, 'SIGQUIT');
  }

  /** Recovers what was committed. */
  async startPostgres(): Promise<void> {
    const { port } = this.#postgres;
    this.#postgres = await startPostgres(this.#purpose, this.#tools, { port });
    if (this.#postgres.port !== port) throw new Error(`PostgreSQL's port ${port} was taken meanwhile`);
  }

  async stop(): Promise<void> {
    await this.#redis.stop();
    await this.#postgres.stop();
  }
}

async function kill(child: PostgresServer['child'], signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
