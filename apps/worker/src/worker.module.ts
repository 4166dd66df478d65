import { type DynamicModule, Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { AudienceModule } from '#audience';
import { DispatchModule, SendingModule } from '#dispatch';
import { type Env, ObservabilityModule, PlatformModule } from '#platform';
import { DispatchProcessor } from './dispatch.processor.ts';
import { FeedProcessor } from './feed.processor.ts';
import { Housekeeping } from './housekeeping.ts';
import { Sweeper } from './sweeper.ts';

@Module({})
export class WorkerModule {
  static forRoot(env: Env): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        PlatformModule.forRoot(env, 'worker'),
        ObservabilityModule.needing('postgres', 'redis'),
        AccessModule,
        AudienceModule,
        DispatchModule,
        SendingModule,
      ],
      providers: [DispatchProcessor, FeedProcessor, Housekeeping, Sweeper],
    };
  }
}
