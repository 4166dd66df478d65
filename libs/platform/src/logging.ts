import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { ENV, type Env } from './env.ts';

const REQUEST_ID = /^[\w-]{8,64}$/;

/**
 * Pino logs in JSON, one line per request with its id. Never in a line: query strings (forward links), headers,
 * addresses of clients, bodies.
 */
export function loggingModule(processName: string): DynamicModule {
  return LoggerModule.forRootAsync({
    inject: [ENV],
    useFactory: (env: Env) => ({
      pinoHttp: {
        name: processName,
        level: env.LOG_LEVEL,
        genReqId: requestId,
        serializers: { req: describeRequest, res: describeResponse },
        customLogLevel: (_request, response, error) =>
          error || response.statusCode >= 500 ? 'error' : response.statusCode >= 400 ? 'info' : 'debug',
      },
    }),
  });
}

/** A caller's X-Request-Id when it is harmless, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function describeRequest(request: { id: string; method: string; url: string }) {
  return { id: request.id, method: request.method, path: request.url.split('?', 1)[0] };
}

function describeResponse(response: { statusCode: number }) {
  return { status: response.statusCode };
}
