import type { Socket } from 'node:net';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DynamicModule } from '@nestjs/common';
import type { Client } from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { ENV, type Env } from './env.ts';

/** For how many milliseconds PostgreSQL is waited for, and a connection kept. */
const PATIENCE = {
  /** Until there is a connection, new or come free. */
  connection: 10_000,
  /** A statement that hangs must not hold a connection for ever; the longest honest one is a snapshot. Nor must an idle transaction. */
  statement: 60_000,
  /** A server that vanished ends no statement: a connection on which nothing comes for longer than one may take is broken off. */
  silence: 65_000,
  /** With a connection go its prepared plans, of which one may have been made for a table that was empty yet. */
  connected: 300_000,
};

/**
 * Connection options that every process shares; entities come from the modules that own them.
 * @param patience shorter where somebody watches
 */
export function databaseOptions(env: Env, applicationName: string, patience = PATIENCE): DataSourceOptions {
  return {
    type: 'postgres',
    url: env.DATABASE_URL,
    applicationName,
    synchronize: false,
    // Our bigint ids and counts stay far below 2^53; H3 cells are only ever sent, never read.
    parseInt8: true,
    logging: false,
    extra: {
      max: env.DATABASE_POOL,
      // Compiling a statement costs more than any of ours takes.
      options: '-c jit=off',
      connectionTimeoutMillis: patience.connection,
      maxLifetimeSeconds: patience.connected / 1_000,
      statement_timeout: patience.statement,
      idle_in_transaction_session_timeout: patience.statement,
      onConnect: (client: Client) => breakOffInSilence(client, patience.silence),
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  };
}

/** pg's own `query_timeout` fails the statement and keeps the connection, on which every later one fails as late. */
function breakOffInSilence({ connection }: Client, ms: number): void {
  const stream = connection.stream as Socket;
  const silent = () => Object.assign(new Error('PostgreSQL has been silent for too long'), { code: 'ETIMEDOUT' });
  stream.setTimeout(ms, () => stream.destroy(silent()));
}

/** The process's connection pool; `applicationName` shows in pg_stat_activity. */
export function databaseModule(applicationName: string): DynamicModule {
  return TypeOrmModule.forRootAsync({
    inject: [ENV],
    useFactory: (env: Env) => ({ ...databaseOptions(env, applicationName), autoLoadEntities: true, retryAttempts: 3 }),
  });
}
