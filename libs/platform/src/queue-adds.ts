import { getQueueToken } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { JobsOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { inTime } from './in-time.ts';
import { REDIS } from './redis.ts';

/** A job that does not come back from Redis for this long has not been taken; it may be later, under the same id. */
const PATIENCE_MS = 5_000;

export interface QueuedJob {
  readonly name: string;
  readonly data: unknown;
  readonly opts: JobsOptions;
}

/**
 * Adds jobs to queues, or fails soon: BullMQ's own connections wait for Redis for ever, and whoever adds holds a transaction or
 * a sweep meanwhile.
 */
@Injectable()
export class QueueAdds {
  constructor(
    @Inject(REDIS) private readonly redis: Redis,
    private readonly modules: ModuleRef,
  ) {}

  /** @throws Error when Redis is away or does not answer in time */
  async add(queue: string, jobs: readonly QueuedJob[]): Promise<void> {
    if (jobs.length === 0) return;
    if (this.redis.status !== 'ready') throw new Error('Redis is away');
    const added = this.queue(queue).addBulk([...jobs]);
    await inTime(PATIENCE_MS, 'Redis did not take the jobs in time', added);
  }

  private queue(name: string): Queue {
    return this.modules.get<Queue>(getQueueToken(name), { strict: false });
  }
}
