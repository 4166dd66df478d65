import { context, trace } from '@opentelemetry/api';

/** A million pushes are some 30 000 spans in less than a minute: what waits is bounded, and goes out each second. */
const EXPORT = { maxQueueSize: 8_192, maxExportBatchSize: 2_048, scheduledDelayMillis: 1_000 } as const;
/** A collector that does not answer keeps no process from ending. */
const EXPORT_TIMEOUT_MS = 3_000;

export interface TracingOptions {
  /** Where OTLP/HTTP is taken, without a path. */
  readonly endpoint: string;
  /** Share of the traces begun here that are kept; what somebody else began is kept where they keep it. */
  readonly ratio: number;
  readonly serviceName: string;
}

/** Has spans kept and sent from now on; the SDK is loaded for it. @returns sends what is left, and ends it */
export async function startTracing({ endpoint, ratio, serviceName }: TracingOptions): Promise<() => Promise<void>> {
  const sdk = await import('@opentelemetry/sdk-trace');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const url = new URL('/v1/traces', endpoint).href;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, ...EXPORT })],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return async () => {
    await provider.shutdown();
    trace.disable();
    context.disable();
  };
}
