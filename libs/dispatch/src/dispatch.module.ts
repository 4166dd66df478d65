import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '#access';
import { AudienceModule } from '#audience';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { queueOf } from '#platform';
import { PushModule } from '#push';
import { AlertRetentionRepository } from './alert-retention.repository.ts';
import { AlertRetention } from './alert-retention.service.ts';
import { Alerts } from './alert.service.ts';
import { Asking } from './asking.service.ts';
import { BatchRepository } from './batch.repository.ts';
import { BatchSender } from './batch.service.ts';
import { DeadLetterRepository } from './dead-letter.repository.ts';
import { DeadLetters } from './dead-letters.service.ts';
import { AlertChange } from './change.entity.ts';
import { ChangeEffects } from './change-effects.service.ts';
import { ChangeRepository } from './change.repository.ts';
import { Changes } from './change.service.ts';
import { DISPATCH_JOBS } from './dispatch.jobs.ts';
import { Ending } from './ending.service.ts';
import { Feeder } from './feeder.ts';
import { Freezing } from './freezing.service.ts';
import { GapRepository } from './gap.repository.ts';
import { Gaps } from './gaps.service.ts';
import { Holds } from './holds.service.ts';
import { LadderRepository } from './ladder.repository.ts';
import { Ladders } from './ladder.service.ts';
import { LandAskRepository } from './land-ask.repository.ts';
import { LandAsks } from './land-ask.service.ts';
import { LandRepository } from './land.repository.ts';
import { Lands } from './land.service.ts';
import { Ledger } from './ledger.service.ts';
import { LiveAlerts } from './live-alerts.service.ts';
import { Pacer } from './pacer.ts';
import { PhotoDown } from './photo-down.service.ts';
import { Preview } from './preview.service.ts';
import { PublicCopies } from './public-copies.ts';
import { PublicAlertsModule } from './public-alerts.module.ts';
import { Release } from './release.service.ts';
import { Restoration } from './restoration.service.ts';
import { SystemHolds } from './system-holds.service.ts';
import { Telling } from './telling.service.ts';
import { TopUpRepository } from './top-up.repository.ts';
import { TopUp } from './top-up.service.ts';
import { WaveRepository } from './wave.repository.ts';

const queues = BullModule.registerQueue(...Object.values(DISPATCH_JOBS).map(queueOf));

/** Alerts up to their release and their ending: what officers do. Sends nothing itself. */
@Module({
  imports: [
    PublicAlertsModule,
    queues,
    TypeOrmModule.forFeature([AlertChange]),
    AccessModule,
    AudienceModule,
    AuditModule,
    CasesModule,
  ],
  providers: [
    AlertRetention,
    AlertRetentionRepository,
    Alerts,
    Asking,
    BatchRepository,
    ChangeEffects,
    ChangeRepository,
    Changes,
    DeadLetterRepository,
    DeadLetters,
    Ending,
    Freezing,
    GapRepository,
    Gaps,
    Holds,
    LadderRepository,
    Ladders,
    LandAskRepository,
    LandAsks,
    LandRepository,
    Lands,
    Ledger,
    LiveAlerts,
    PhotoDown,
    Preview,
    PublicCopies,
    Release,
    Restoration,
    SystemHolds,
    Telling,
    TopUp,
    TopUpRepository,
    WaveRepository,
  ],
  exports: [
    AlertRetention,
    Alerts,
    BatchRepository,
    Changes,
    DeadLetters,
    Ending,
    Freezing,
    Gaps,
    Holds,
    Ladders,
    LandAsks,
    Lands,
    Ledger,
    LiveAlerts,
    PhotoDown,
    Preview,
    PublicAlertsModule,
    PublicCopies,
    Release,
    Restoration,
    SystemHolds,
    TopUp,
    WaveRepository,
  ],
})
export class DispatchModule {}

/** Feeding and sending: what workers do. Holds the push gateway, so only a worker may import it. */
@Module({
  imports: [DispatchModule, queues, AudienceModule, PushModule],
  providers: [BatchSender, Feeder, Pacer],
  exports: [BatchSender, Feeder, Pacer],
})
export class SendingModule {}
