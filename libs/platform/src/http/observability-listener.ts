import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ENV, type Env } from '../env.ts';
import { Metrics } from '../metrics.ts';
import { Readiness } from './readiness.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Prometheus's text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** `/healthz`, `/readyz` and `/metrics` on a port of their own, for the machines that keep the process running and nobody else. */
@Injectable()
export class ObservabilityListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    @Inject(ENV) private readonly env: Pick<Env, 'OBSERVABILITY_PORT' | 'OBSERVABILITY_HOST'>,
    private readonly metrics: Metrics,
    private readonly readiness: Readiness,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { OBSERVABILITY_PORT: port, OBSERVABILITY_HOST: host } = this.env;
    if (port === undefined) return;
    this.server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
      this.answer(request).then(
        (answer) => send(response, answer),
        () => response.destroy(),
      );
    });
    await once(this.server.listen(port, host), 'listening');
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  /** The port that listens: another than the settings' when those leave it to the system. */
  get port(): number | undefined {
    return (this.server?.address() as AddressInfo | null | undefined)?.port;
  }

  private async answer({ url = '' }: IncomingMessage): Promise<Answer> {
    const [path = ''] = url.split('?', 1);
    switch (path) {
      case '/healthz':
        return { status: 200, type: JSON_TYPE, body: JSON.stringify({ status: 'alive' }) };
      case '/readyz': {
        const report = await this.readiness.report();
        return { status: report.ready ? 200 : 503, type: JSON_TYPE, body: JSON.stringify(report) };
      }
      case '/metrics':
        return { status: 200, type: METRICS_TYPE, body: await this.metrics.registry.metrics() };
      default:
        return { status: 404, type: JSON_TYPE, body: '{}' };
    }
  }
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
