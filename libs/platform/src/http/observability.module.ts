import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { ENV, type Env } from '../env.ts';
import { Draining } from './draining.ts';
import { ObservabilityController, OPEN_TO_ITS_CALLERS } from './observability.controller.ts';
import { ObservabilityListener } from './observability-listener.ts';
import { type Need, NEEDS, Readiness } from './readiness.ts';
import { RequestLog } from './request-log.ts';
import { RequestMetrics } from './request-metrics.ts';

/** `/healthz`, `/readyz` and `/metrics` for any process on Fastify; needs a PlatformModule beside it. */
@Module({})
export class ObservabilityModule {
  /**
   * Of a process that the public reaches: in production, and with a listener of their own, only `/healthz` is on the main one.
   * @param needs the servers without which the process is not ready
   */
  static needing(...needs: Need[]): DynamicModule {
    return describe(needs, (env) => env.NODE_ENV !== 'production' && env.OBSERVABILITY_PORT === undefined, [Draining]);
  }

  /** Of a process whose main listener serves nothing else. */
  static alone(...needs: Need[]): DynamicModule {
    return describe(needs, () => true);
  }
}

function describe(needs: readonly Need[], isOpen: (env: Env) => boolean, more: Provider[] = []): DynamicModule {
  return {
    module: ObservabilityModule,
    global: true,
    controllers: [ObservabilityController],
    providers: [
      { provide: NEEDS, useValue: needs },
      { provide: OPEN_TO_ITS_CALLERS, inject: [ENV], useFactory: isOpen },
      ObservabilityListener,
      Readiness,
      RequestLog,
      RequestMetrics,
      ...more,
    ],
    exports: [Readiness, RequestLog, RequestMetrics, ...more],
  };
}
