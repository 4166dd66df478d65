import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ENV, type Env } from './env.ts';

/** Injection token of the process's shared ioredis connection (never used for blocking commands). */
export const REDIS = Symbol('REDIS');

/** Commands take a millisecond; whoever waits holds a batch or a request meanwhile. */
const COMMAND_MS = 3_000;
/** A connection on which nothing comes back for so long is made anew: a server that vanished says nothing. */
const SILENT_MS = 5_000;

/** A connection that fails commands at once while Redis is away, so that callers can decide, not hang. */
function connectRedis(url: string): Redis {
  const redis = new Redis(url, {
    ...{ enableOfflineQueue: false, maxRetriesPerRequest: 1, disconnectTimeout: 200 },
    ...{ connectTimeout: COMMAND_MS, commandTimeout: COMMAND_MS, socketTimeout: SILENT_MS },
  });
  // ioredis reports each failed reconnect as an event; commands carry their own errors to their callers.
  redis.on('error', () => undefined);
  return redis;
}

@Injectable()
class RedisCloser implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

@Module({
  providers: [{ provide: REDIS, inject: [ENV], useFactory: (env: Env) => connectRedis(env.REDIS_URL) }, RedisCloser],
  exports: [REDIS],
})
export class RedisModule {}
