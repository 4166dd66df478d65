import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { AudienceModule } from '#audience';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { PushModule } from '#push';
import { Alerts } from './alert.service.ts';
import { Asking } from './asking.service.ts';
import { BatchRepository } from './batch.repository.ts';
import { BatchSender } from './batch.service.ts';
import { DISPATCH_JOBS } from './dispatch.jobs.ts';
import { Ending } from './ending.service.ts';
import { Feeder } from './feeder.ts';
import { Pacer } from './pacer.ts';
import { Preview } from './preview.service.ts';
import { PublicAlertsModule } from './public-alerts.module.ts';
import { Release } from './release.service.ts';
import { WaveRepository } from './wave.repository.ts';

const queues = BullModule.registerQueue(
  ...Object.values(DISPATCH_JOBS).map((job) => ({ name: job.queue, forceDisconnectOnShutdown: true })),
);

/** Alerts up to their release and their ending: what officers do. Sends nothing itself. */
@Module({
  imports: [PublicAlertsModule, queues, AccessModule, AudienceModule, AuditModule, CasesModule],
  providers: [Alerts, Asking, BatchRepository, Ending, Preview, Release, WaveRepository],
  exports: [Alerts, BatchRepository, Ending, Preview, PublicAlertsModule, Release, WaveRepository],
})
export class DispatchModule {}

/** Feeding and sending: what workers do. Holds the push gateway, so only a worker may import it. */
@Module({
  imports: [DispatchModule, queues, AudienceModule, PushModule],
  providers: [BatchSender, Feeder, Pacer],
  exports: [BatchSender, Feeder],
})
export class SendingModule {}
