import { Injectable, Logger } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Lookup } from './lookup.ts';

/** In base units (seconds, bytes), as Prometheus wants them: `golden72_…_seconds`, `golden72_…_total` where it only grows. */
export type MetricName = `golden72_${string}`;

/** One number, or one a label set. No label is an id: each value would make a series of its own, and stay. */
export type Values<Label extends string> = number | readonly (readonly [Readonly<Record<Label, string>>, number])[];

/** A gauge that is filled from what a source gives. */
export interface GaugeOf<Reading, Label extends string = string> {
  readonly name: MetricName;
  readonly help: string;
  readonly labels?: readonly Label[];
  readonly of: (reading: Reading) => Values<Label>;
}

/**
 * The numbers of this process, for Prometheus: who counts something defines it here, once. Nothing of a person and nothing of a
 * case is a number's label.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly logger = new Logger(Metrics.name);
  private readonly failures = this.counter(
    'golden72_readings_failed_total',
    'Sources of metrics that could not be read when Prometheus asked; their gauges were left out.',
    ['source'],
  );

  counter<Label extends string = never>(
    name: MetricName,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** @param buckets upper bounds, in the unit of the name */
  histogram<Label extends string = never>(
    name: MetricName,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({ name, help, buckets: [...buckets], labelNames, registers: [this.registry] });
  }

  /** A gauge of what this process knows by heart: asked when Prometheus asks. */
  gauge<Label extends string = never>(
    name: MetricName,
    help: string,
    labelNames: readonly Label[],
    read: () => Values<Label>,
  ): void {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => fill(gauge, labelNames, read()),
    });
  }

  /**
   * Gauges of what has to be asked for elsewhere: together, in one question, and again only when its answer has aged. What cannot be read
   * in time is left out, for an old number would look like a good one.
   */
  gauges<Reading>(source: string, read: () => Promise<Reading>, gauges: readonly GaugeOf<Reading>[]): void {
    const lookup = new Lookup(read, (error) => {
      this.failures.inc({ source });
      this.logger.warn({ err: error, source }, 'a source of metrics could not be read');
    });
    this.failures.inc({ source }, 0);
    for (const { name, help, labels = [], of } of gauges) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: labels,
        registers: [this.registry],
        collect: async () => {
          const reading = await lookup.latest();
          fill(gauge, labels, reading === null ? [] : of(reading));
        },
      });
    }
  }
}

function fill<Label extends string>(gauge: Gauge<Label>, labels: readonly Label[], values: Values<Label>): void {
  gauge.reset();
  if (typeof values === 'number') return gauge.set(values);
  // A reset gauge without labels says zero.
  if (labels.length === 0) gauge.remove();
  for (const [labels, value] of values) gauge.set(labels, value);
}
