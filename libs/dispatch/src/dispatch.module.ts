import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '#access';
import { AudienceModule } from '#audience';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { PushModule } from '#push';
import { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { Alerts } from './alert.service.ts';
import { BatchRepository } from './batch.repository.ts';
import { BatchSender } from './batch.service.ts';
import { DISPATCH_JOBS } from './dispatch.jobs.ts';
import { Ending } from './ending.service.ts';
import { Feeder } from './feeder.ts';
import { Message } from './message.entity.ts';
import { Pacer } from './pacer.ts';
import { Preview } from './preview.service.ts';
import { PublicAlerts } from './public-alerts.ts';
import { RecipientReferences } from './recipient-reference.ts';
import { Release } from './release.service.ts';
import { WaveRepository } from './wave.repository.ts';

const queues = BullModule.registerQueue(...Object.values(DISPATCH_JOBS).map((job) => ({ name: job.queue })));

/** Alerts up to their release and their ending: what officers do. Sends nothing itself. */
@Module({
  imports: [TypeOrmModule.forFeature([Alert, Message]), queues, AccessModule, AudienceModule, AuditModule, CasesModule],
  providers: [
    AlertRepository,
    Alerts,
    BatchRepository,
    Ending,
    Preview,
    PublicAlerts,
    RecipientReferences,
    Release,
    WaveRepository,
  ],
  exports: [Alerts, BatchRepository, Ending, Preview, PublicAlerts, RecipientReferences, Release, WaveRepository],
})
export class DispatchModule {}

/** Feeding and sending: what workers do. Holds the push gateway, so only a worker may import it. */
@Module({
  imports: [DispatchModule, queues, AudienceModule, PushModule],
  providers: [BatchSender, Feeder, Pacer],
  exports: [BatchSender, Feeder],
})
export class SendingModule {}
