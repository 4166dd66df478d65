import type { Metrics } from '#platform';
import type { FcmEvent } from './fcm/fcm-gateway.ts';

/** The connections to a provider, and what goes wrong beside single messages. */
export class PushMetrics {
  private sessions = 0;
  private readonly retired;
  private readonly faults;

  constructor(metrics: Metrics) {
    metrics.gauge('golden72_push_sessions', 'HTTP/2 sessions open to the provider.', [], () => this.sessions);
    this.retired = metrics.counter(
      'golden72_push_sessions_retired_total',
      'Sessions that take nothing more, by why: the server’s GOAWAY, our own review (UNUSED), or an error of the connection.',
      ['reason'],
    );
    this.faults = metrics.counter(
      'golden72_push_faults_total',
      'Calls without credentials, messages kept from the provider, and errors nobody foresaw.',
      ['fault'],
    );
    for (const fault of ['no-credentials', 'refused', 'unexpected'] as const) this.faults.inc({ fault }, 0);
  }

  note(event: FcmEvent): void {
    switch (event.event) {
      case 'opened':
        this.sessions++;
        return;
      case 'retired':
        if (event.opened) this.sessions--;
        return this.retired.inc({ reason: event.reason });
      case 'refused':
        return this.faults.inc({ fault: event.event }, event.messages);
      case 'no-credentials':
      case 'unexpected':
        return this.faults.inc({ fault: event.event });
    }
  }
}
