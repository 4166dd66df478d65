import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PROBLEM_TYPE, problemOf, toRefusal } from './problem.ts';

/**
 * Answers every refusal and every fault as a problem document; a fault is logged once, and nothing of it is told. Too much to do
 * is no fault: a line of its own for each who is told to come again would be more to do.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const { httpAdapter } = this.adapterHost;
    const http = host.switchToHttp();
    const request = http.getRequest<{ readonly id?: string }>();
    const reply = http.getResponse<unknown>();
    const problem = problemOf(toRefusal(error), request.id ?? 'unknown');

    if (problem.status >= 500 && problem.code !== 'overloaded')
      this.logger.error({ err: error, requestId: request.id, code: problem.code }, 'a request failed');
    if (httpAdapter.isHeadersSent(reply)) return;
    httpAdapter.setHeader(reply, 'content-type', PROBLEM_TYPE);
    httpAdapter.setHeader(reply, 'cache-control', 'no-store');
    const { retryAfter } = problem;
    if (typeof retryAfter === 'number') httpAdapter.setHeader(reply, 'retry-after', String(retryAfter));
    httpAdapter.reply(reply, problem, problem.status);
  }
}
