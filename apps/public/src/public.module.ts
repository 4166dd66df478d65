import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { PublicAlertsModule } from '#dispatch';
import { EngagementModule } from '#engagement';
import { type Env, ObservabilityModule, PlatformModule } from '#platform';
import { SightingsModule } from '#sightings';
import { FailuresFilter } from './failures.filter.ts';
import { ForwardController } from './forward.controller.ts';
import { Lookups } from './lookups.ts';
import { PageAnswers } from './page-answers.ts';
import { PageController } from './page.controller.ts';
import { Pages } from './pages.service.tsx';
import { SameSiteGuard } from './same-site.guard.ts';
import { SightingController } from './sighting.controller.ts';

@Module({})
export class PublicModule {
  static forRoot(env: Env): DynamicModule {
    return {
      module: PublicModule,
      imports: [
        PlatformModule.forRoot(env, 'public'),
        ObservabilityModule.needing('postgres'),
        PublicAlertsModule,
        EngagementModule,
        SightingsModule,
      ],
      controllers: [ForwardController, PageController, SightingController],
      providers: [
        Lookups,
        PageAnswers,
        Pages,
        { provide: APP_GUARD, useClass: SameSiteGuard },
        FailuresFilter,
        { provide: APP_FILTER, useExisting: FailuresFilter },
      ],
    };
  }
}
