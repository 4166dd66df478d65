import { type DynamicModule, Module } from '@nestjs/common';
import { Metrics } from './metrics.ts';
import { ObservabilityController } from './observability.controller.ts';
import { type Need, NEEDS, Readiness } from './readiness.ts';

/** `/healthz`, `/readyz` and `/metrics` for any process on Fastify; needs a PlatformModule beside it. */
@Module({})
export class ObservabilityModule {
  /** `needs` are the servers without which the process is not ready. */
  static needing(...needs: Need[]): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      controllers: [ObservabilityController],
      providers: [{ provide: NEEDS, useValue: needs }, Metrics, Readiness],
      exports: [Metrics, Readiness],
    };
  }
}
