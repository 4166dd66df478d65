import { Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { ENV, type Env } from './env.ts';

/** Injection token of the process's shared ioredis connection (never used for blocking commands). */
export const REDIS = Symbol('REDIS');

/** Commands take a millisecond; whoever waits holds a batch or a request meanwhile. */
const COMMAND_MS = 3_000;
/** A connection on which nothing comes back for so long is made anew: a server that vanished says nothing. */
const SILENT_MS = 5_000;
/** The same of BullMQ's, which wait for a job for up to 10 s at a time: only a server that vanished is silent for longer. */
const QUEUE_SILENT_MS = 12_000;
/** A Redis that is back is found within so long: BullMQ's own patience would grow to 20 s. */
const LONGEST_PAUSE_MS = 2_000;

/** What all connections have in common. RESP2 is what BullMQ 6 is tested on. */
const CONNECTION = { protocol: 2, connectTimeout: COMMAND_MS, disconnectTimeout: 200 } satisfies RedisOptions;

/** Of BullMQ's connections: what they are asked while Redis is away is asked when it is back. */
export const QUEUE_CONNECTION = {
  ...CONNECTION,
  maxRetriesPerRequest: null,
  socketTimeout: QUEUE_SILENT_MS,
  retryStrategy: (times: number) => Math.min(times * 100, LONGEST_PAUSE_MS),
} satisfies RedisOptions;

/** A connection that fails commands at once while Redis is away, so that callers can decide, not hang. */
function connectRedis(url: string): Redis {
  const redis = new Redis(url, {
    ...CONNECTION,
    ...{ enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_MS, socketTimeout: SILENT_MS },
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
