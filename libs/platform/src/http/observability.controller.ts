import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './audience.ts';
import { Metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';

/** What we need of a reply; the adapter's own type belongs to the app. */
interface Reply {
  status(code: number): unknown;
}

/** For the machines that keep the process running; not a part of the public API. */
@ApiExcludeController()
@Controller()
@Public()
export class ObservabilityController {
  constructor(
    private readonly metrics: Metrics,
    private readonly readiness: Readiness,
  ) {}

  /** Alive: the event loop turns. */
  @Get('healthz')
  @Header('cache-control', 'no-store')
  alive() {
    return { status: 'alive' };
  }

  /** Can do its work; 503 names the part that does not answer. */
  @Get('readyz')
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: Reply) {
    const report = await this.readiness.report();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  /** Prometheus's text format. */
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
