import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type DynamicModule, RequestMethod } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { ENV, type Env } from './env.ts';
import { describeError } from './log-error.ts';

/** What pino-http logs of a finished request. */
interface RequestLine {
  readonly res: unknown;
  readonly responseTime: unknown;
}

const REQUEST_ID = /^[\w-]{8,64}$/;

/**
 * Pino logs in JSON, one line per request with its id. Never in a line: query strings (forward links), headers,
 * addresses of clients, bodies.
 */
export function loggingModule(processName: string): DynamicModule {
  return LoggerModule.forRootAsync({
    inject: [ENV],
    useFactory: (env: Env) => ({
      // nestjs-pino 5.2's own pattern, `{/*splat}`, matches no path on Nest 12's Fastify adapter.
      forRoutes: [{ path: '{*splat}', method: RequestMethod.ALL }],
      // Ids noted while a request is served stand in its closing line too.
      assignResponse: true,
      pinoHttp: {
        name: processName,
        level: env.LOG_LEVEL,
        genReqId: requestId,
        serializers: { req: describeRequest, res: describeResponse, err: describeError },
        // The fault behind a 5xx has a line of its own where it is caught: no second error is made up here.
        customErrorObject: (_request, _response, _error, { res, responseTime }: RequestLine) => ({ res, responseTime }),
        customLogLevel: (_request, response, error) => requestLevel(response.statusCode, Boolean(error)),
      },
    }),
  });
}

/** What nobody has to look at is for debugging. */
export function requestLevel(status: number, failed: boolean): 'error' | 'info' | 'debug' {
  return failed || status >= 500 ? 'error' : status >= 400 ? 'info' : 'debug';
}

/** A caller's X-Request-Id when it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** By the original address: Nest's middleware cuts `url` to what follows the middleware's own path. */
function describeRequest({ raw }: { raw: IncomingMessage & { id?: unknown; originalUrl?: string } }) {
  return { id: raw.id, method: raw.method, path: (raw.originalUrl ?? raw.url ?? '').split('?', 1)[0] };
}

function describeResponse(response: { statusCode: number }) {
  return { status: response.statusCode };
}
