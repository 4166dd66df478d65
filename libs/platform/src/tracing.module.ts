import { type DynamicModule, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ENV, type Env } from './env.ts';
import { startTracing } from './tracing-sdk.ts';

/** Ends tracing; does nothing where there is none. */
const STOP_TRACING = Symbol('STOP_TRACING');

@Injectable()
class TracingCloser implements OnApplicationShutdown {
  constructor(@Inject(STOP_TRACING) private readonly stop: () => Promise<void>) {}

  /** What could not be sent is nobody's concern any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.stop().catch(() => undefined);
  }
}

/** Traces, where the settings say whom they go to. */
@Module({})
export class TracingModule {
  static forRoot(processName: string): DynamicModule {
    const start = async (env: Env) => {
      const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = env;
      if (endpoint === undefined) return () => Promise.resolve();
      return startTracing({ endpoint, ratio, serviceName: `golden72-${processName}` });
    };
    return {
      module: TracingModule,
      providers: [{ provide: STOP_TRACING, inject: [ENV], useFactory: start }, TracingCloser],
    };
  }
}
