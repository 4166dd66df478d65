import { type DynamicModule, Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { AudienceModule } from '#audience';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { DispatchModule, SendingModule } from '#dispatch';
import { EngagementModule } from '#engagement';
import { type Env, ObservabilityModule, PlatformModule } from '#platform';
import { PushModule } from '#push';
import { SightingsModule } from '#sightings';
import { AuditAnchors } from './audit-anchors.ts';
import { CaseRetention } from './case-retention.ts';
import { DispatchProcessor } from './dispatch.processor.ts';
import { FeedProcessor } from './feed.processor.ts';
import { JobMetrics } from './jobs.metrics.ts';
import { LedgerMetrics } from './ledger.metrics.ts';
import { PurgeProcessor } from './purge.processor.ts';
import { Housekeeping } from './housekeeping.ts';
import { Retention } from './retention.ts';
import { Rounds } from './rounds.ts';
import { Sweeper } from './sweeper.ts';
import { ToppingUp } from './topping-up.ts';
import { WorkerParts } from './worker-parts.ts';

@Module({})
export class WorkerModule {
  static forRoot(env: Env): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        PlatformModule.forRoot(env, 'worker'),
        ObservabilityModule.alone('postgres', 'redis'),
        AccessModule,
        AudienceModule,
        AuditModule,
        CasesModule,
        DispatchModule,
        EngagementModule,
        PushModule,
        SendingModule,
        SightingsModule,
      ],
      providers: [
        AuditAnchors,
        CaseRetention,
        DispatchProcessor,
        FeedProcessor,
        Housekeeping,
        JobMetrics,
        LedgerMetrics,
        PurgeProcessor,
        Retention,
        Rounds,
        Sweeper,
        ToppingUp,
        WorkerParts,
      ],
    };
  }
}
