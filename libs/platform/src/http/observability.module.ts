import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.ts';
import { ObservabilityController } from './observability.controller.ts';
import { Readiness } from './readiness.ts';

/** `/healthz`, `/readyz` and `/metrics` for any process on Fastify; needs a PlatformModule beside it. */
@Global()
@Module({
  controllers: [ObservabilityController],
  providers: [Metrics, Readiness],
  exports: [Metrics, Readiness],
})
export class ObservabilityModule {}
