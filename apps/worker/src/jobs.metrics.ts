import { Injectable } from '@nestjs/common';
import { DISPATCH_JOBS } from '#dispatch';
import { Metrics } from '#platform';

/** What becomes of jobs that nobody tries again. */
@Injectable()
export class JobMetrics {
  private readonly failures;

  constructor(metrics: Metrics) {
    this.failures = metrics.counter(
      'golden72_jobs_given_up_total',
      'Jobs that failed at their last try. What batches and feeding were to do, the ledger and the next sweep make good.',
      ['queue'],
    );
    for (const { queue } of Object.values(DISPATCH_JOBS)) this.failures.inc({ queue }, 0);
  }

  givenUp(queue: string): void {
    this.failures.inc({ queue });
  }
}
