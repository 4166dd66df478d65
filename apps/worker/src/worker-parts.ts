import { Inject, Injectable } from '@nestjs/common';
import { Readiness } from '#platform';
import { PUSH_GATEWAY, type PushGateway } from '#push';
import { Sweeper } from './sweeper.ts';

/** What a worker needs beside its servers: without it batches would be claimed in vain, or nothing lost would be found. */
@Injectable()
export class WorkerParts {
  constructor(readiness: Readiness, sweeper: Sweeper, @Inject(PUSH_GATEWAY) gateway: PushGateway) {
    readiness.add('push', async () => ((await gateway.canSend()) ? 'ok' : 'no_credentials'));
    readiness.add('sweep', () => (sweeper.late ? 'late' : 'ok'));
  }
}
