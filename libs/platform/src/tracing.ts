import {
  context,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { isRefusal } from './refusal.ts';

/** Ids and counts: nothing of a person, of a case or of an area. */
export type Facts = Readonly<Record<string, string | number>>;

/** W3C Trace Context, level 1: version, trace, span, and the flag that it is kept. */
const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

/** Without an SDK (see tracing.module.ts) it makes nothing of anything. */
const tracer = trace.getTracer('golden72');

/**
 * A part of the way from an approval to a push. It is handed on by hand where many are under way at once: an asynchronous context would
 * be carried along by Node in every callback of every HTTP/2 stream.
 */
export class Span {
  private constructor(
    private readonly span: OtelSpan,
    private readonly parents: Context,
  ) {}

  /** The beginning of a trace, of whatever asked for it. */
  static ofRequest(name: string, facts: Facts): Span {
    return Span.begin(name, ROOT_CONTEXT, facts, { kind: SpanKind.SERVER });
  }

  /**
   * A part of what somebody else has begun.
   * @param parent what {@link traceParent} gave there
   * @param startedAt epoch milliseconds; now when left out
   * @returns null where nobody keeps that trace: what is not traced costs nothing
   */
  static under(parent: string | null, name: string, facts: Facts, startedAt?: number): Span | null {
    const remote = parent === null ? null : contextOf(parent);
    if (remote === null) return null;
    const span = Span.begin(name, remote, facts, startedAt === undefined ? {} : { startTime: startedAt });
    return span.span.isRecording() ? span : null;
  }

  private static begin(
    name: string,
    parents: Context,
    facts: Facts,
    options: { readonly kind?: SpanKind; readonly startTime?: number } = {},
  ): Span {
    return new Span(tracer.startSpan(name, { ...options, attributes: facts }, parents), parents);
  }

  /** A part of this part. */
  part(name: string, facts: Facts = {}, startedAt?: number): Span {
    const own = trace.setSpan(this.parents, this.span);
    return Span.begin(name, own, facts, startedAt === undefined ? {} : { startTime: startedAt });
  }

  /** Calls `work`; it and everything that it starts finds this span as the one under way. */
  run<Result>(work: () => Result): Result {
    return context.with(trace.setSpan(context.active(), this.span), work);
  }

  note(facts: Facts): void {
    this.span.setAttributes(facts);
  }

  /** @param failed where it did not come to what it was begun for */
  end(failed = false): void {
    if (failed) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}

/** Work as a part of the trace under way, or as a trace of its own; everything that it starts finds it. */
export function traced<Result>(name: string, facts: Facts, work: () => Promise<Result>): Promise<Result> {
  return tracer.startActiveSpan(name, { attributes: facts }, async (span) => {
    try {
      return await work();
    } catch (error) {
      if (isRefusal(error)) span.setAttribute('refusal', error.code);
      // Its message may quote what nobody here may know.
      else span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** What a part of the trace under way, done elsewhere or later, begins {@link Span.under}: null where none is kept. */
export function traceParent(): string | null {
  const under = trace.getSpanContext(context.active());
  if (!under || !isSpanContextValid(under) || (under.traceFlags & TraceFlags.SAMPLED) === 0) return null;
  return `00-${under.traceId}-${under.spanId}-01`;
}

function contextOf(parent: string): Context | null {
  const [, traceId, spanId] = TRACE_PARENT.exec(parent) ?? [];
  if (traceId === undefined || spanId === undefined) return null;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
