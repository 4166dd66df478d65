import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BullModule } from '@nestjs/bullmq';
import { Blur } from './blur.ts';
import { Clock } from './clock.ts';
import { databaseModule } from './database.ts';
import { DatabasePool } from './database-pool.ts';
import { DeploymentIdentity } from './deployment-identity.ts';
import { DeploymentIdentityRepository } from './deployment-identity.repository.ts';
import { ENV, type Env } from './env.ts';
import { GroupCommits } from './group-commits.ts';
import { Idempotency } from './idempotency.ts';
import { IdempotencyRepository } from './idempotency.repository.ts';
import { LEAVE_REDIS } from './jobs.ts';
import { Keys } from './keys.ts';
import { LogContext } from './log-context.ts';
import { loggingModule } from './logging.ts';
import { Metrics } from './metrics.ts';
import { Outbound } from './outbound.ts';
import { Outbox } from './outbox.ts';
import { OutboxRepository } from './outbox.repository.ts';
import { RateLimits } from './rate-limit.ts';
import { QueueAdds } from './queue-adds.ts';
import { QueueErrors } from './queue-errors.ts';
import { RedisModule } from './redis.ts';
import { RequestContext } from './request-context.ts';
import { RetentionRuns } from './retention-runs.ts';
import { RetentionRunsRepository } from './retention-runs.repository.ts';
import { TracingModule } from './tracing.module.ts';
import { Transactions } from './transactions.ts';
import { Zones } from './zones.ts';
import { ZonesRepository } from './zones.repository.ts';

/** What every process needs: settings, logs, the database, Redis, queues, the clock and keys. */
@Global()
@Module({})
export class PlatformModule {
  /** `processName` names the process in logs and in pg_stat_activity. */
  static forRoot(env: Env, processName: string): DynamicModule {
    const environment = { provide: ENV, useValue: env };
    return {
      module: PlatformModule,
      imports: [
        { module: EnvModule, global: true, providers: [environment], exports: [environment] },
        loggingModule(processName),
        databaseModule(`golden72-${processName}`),
        RedisModule,
        DiscoveryModule,
        TracingModule.forRoot(processName),
        BullModule.forRootAsync({ inject: [ENV], useFactory: queueDefaults }),
      ],
      providers: [
        Blur,
        Clock,
        DatabasePool,
        DeploymentIdentity,
        DeploymentIdentityRepository,
        GroupCommits,
        Idempotency,
        IdempotencyRepository,
        Keys,
        LogContext,
        Metrics,
        Outbound,
        Outbox,
        OutboxRepository,
        QueueAdds,
        QueueErrors,
        RateLimits,
        RequestContext,
        RetentionRuns,
        RetentionRunsRepository,
        Transactions,
        Zones,
        ZonesRepository,
      ],
      exports: [
        Blur,
        Clock,
        DatabasePool,
        DeploymentIdentity,
        GroupCommits,
        Idempotency,
        Keys,
        LogContext,
        Metrics,
        Outbound,
        Outbox,
        QueueAdds,
        RateLimits,
        RequestContext,
        RetentionRuns,
        Transactions,
        Zones,
        RedisModule,
      ],
    };
  }
}

@Module({})
class EnvModule {}

/** Longer than BullMQ waits for a job at a time (10 s): only a server that vanished is silent for so long. */
const QUEUE_SILENT_MS = 20_000;

function queueDefaults(env: Env) {
  return {
    connection: { url: env.REDIS_URL, maxRetriesPerRequest: null, socketTimeout: QUEUE_SILENT_MS },
    defaultJobOptions: LEAVE_REDIS,
  };
}
