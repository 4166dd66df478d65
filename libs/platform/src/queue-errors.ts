import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Queue } from 'bullmq';

/** Puts what BullMQ's connections complain of into the log; a queue that nobody listens to writes to the console. */
@Injectable()
export class QueueErrors implements OnModuleInit {
  private readonly logger = new Logger(QueueErrors.name);

  constructor(private readonly discovery: DiscoveryService) {}

  onModuleInit(): void {
    const queues = new Set(this.discovery.getProviders().map((provider): unknown => provider.instance));
    for (const queue of queues) {
      if (queue instanceof Queue)
        queue.on('error', (error) => this.logger.warn({ err: error, queue: queue.name }, 'queue'));
    }
  }
}
