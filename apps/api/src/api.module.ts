import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { AccessModule } from '#access';
import { type Env, ObservabilityModule, PlatformModule } from '#platform';
import { AccessApi } from './access/access.api.ts';
import { AlertsApi } from './alerts/alerts.api.ts';
import { AsksApi } from './asks/asks.api.ts';
import { AuditApi } from './audit/audit.api.ts';
import { CasesApi } from './cases/cases.api.ts';
import { DevicesApi } from './devices/devices.api.ts';
import { EngagementApi } from './engagement/engagement.api.ts';
import { FreezingApi } from './freezing/freezing.api.ts';
import { RetentionApi } from './retention/retention.api.ts';
import { SightingsApi } from './sightings/sightings.api.ts';
import { OutcomesApi } from './outcomes/outcomes.api.ts';
import { IntakeApi } from './intake/intake.api.ts';
import { CallerGuard } from './callers/caller.guard.ts';
import { RateGuard } from './callers/rate.guard.ts';
import { ProblemFilter } from './problem.filter.ts';
import { RouteCheck } from './route-check.ts';
import { ValidationPipe } from './validation.pipe.ts';

/** What is asked over HTTP, one module per domain. */
const DOMAINS = [
  AccessApi,
  AlertsApi,
  AsksApi,
  AuditApi,
  CasesApi,
  DevicesApi,
  EngagementApi,
  FreezingApi,
  IntakeApi,
  OutcomesApi,
  RetentionApi,
  SightingsApi,
];

/** The api: deny by default, parse everything, answer refusals as problems. */
@Module({})
export class ApiModule {
  /** `more` are modules beside the api's own, e.g. a test's. */
  static forRoot(env: Env, more: NonNullable<DynamicModule['imports']> = []): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        PlatformModule.forRoot(env, 'api'),
        ObservabilityModule.needing('postgres'),
        DiscoveryModule,
        AccessModule,
        ...DOMAINS,
        ...more,
      ],
      providers: [
        RouteCheck,
        CallerGuard,
        RateGuard,
        ValidationPipe,
        ProblemFilter,
        { provide: APP_GUARD, useExisting: CallerGuard },
        { provide: APP_GUARD, useExisting: RateGuard },
        { provide: APP_PIPE, useExisting: ValidationPipe },
        { provide: APP_FILTER, useExisting: ProblemFilter },
      ],
    };
  }
}
