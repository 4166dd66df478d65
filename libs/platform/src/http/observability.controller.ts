import { Controller, Get, Header, Inject, NotFoundException, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './audience.ts';
import { Metrics } from '../metrics.ts';
import { METRICS_TYPE } from './observability-listener.ts';
import { Readiness } from './readiness.ts';

/** Injection token: whether whoever reaches this listener may read how the process does. */
export const OPEN_TO_ITS_CALLERS = Symbol('OPEN_TO_ITS_CALLERS');

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
    @Inject(OPEN_TO_ITS_CALLERS) private readonly open: boolean,
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
    this.demandOpen();
    const report = await this.readiness.report();
    reply.status(report.ready ? 200 : 503);
    return report;
  }

  /** Prometheus's text format. */
  @Get('metrics')
  @Header('content-type', METRICS_TYPE)
  read(): Promise<string> {
    this.demandOpen();
    return this.metrics.registry.metrics();
  }

  private demandOpen(): void {
    if (!this.open) throw new NotFoundException();
  }
}
