import { Injectable } from '@nestjs/common';
import { Metrics } from '#platform';

/** What is done to live alerts by itself, one alert after the other: one that fails keeps no other from it, so that somebody has to hear. */
export type AlertWork = 'ladder' | 'top_up' | 'expiry';

@Injectable()
export class AlertWorkMetrics {
  private readonly failures;
  private readonly ringLateSeconds;

  constructor(metrics: Metrics) {
    this.failures = metrics.counter(
      'golden72_alerts_failed_total',
      'Alerts that could not be climbed, topped up or expired; each is tried again.',
      ['work'],
    );
    this.ringLateSeconds = metrics.histogram(
      'golden72_ring_late_seconds',
      'How long after its time a ring of a ladder was fired or proposed; the time of a hold included.',
      [5, 10, 30, 60, 300, 3600],
    );
    for (const work of ['ladder', 'top_up', 'expiry'] as const) this.failures.inc({ work }, 0);
  }

  failed(work: AlertWork): void {
    this.failures.inc({ work });
  }

  ringLate(ms: number): void {
    this.ringLateSeconds.observe(ms / 1000);
  }
}
