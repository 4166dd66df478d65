import { TypeOrmModule } from '@nestjs/typeorm';
import type { DynamicModule } from '@nestjs/common';
import type { DataSourceOptions } from 'typeorm';
import { ENV, type Env } from './env.ts';

/** Connection options that every process shares; entities come from the modules that own them. */
export function databaseOptions(env: Env, applicationName: string): DataSourceOptions {
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
      connectionTimeoutMillis: 10_000,
      // A statement that hangs must not hold a connection for ever; the longest honest one is a snapshot.
      statement_timeout: 60_000,
      idle_in_transaction_session_timeout: 60_000,
      // A server that vanished ends no statement: then the client gives up, a little after the server would have.
      query_timeout: 65_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  };
}

/** The process's connection pool; `applicationName` shows in pg_stat_activity. */
export function databaseModule(applicationName: string): DynamicModule {
  return TypeOrmModule.forRootAsync({
    inject: [ENV],
    useFactory: (env: Env) => ({ ...databaseOptions(env, applicationName), autoLoadEntities: true, retryAttempts: 3 }),
  });
}
