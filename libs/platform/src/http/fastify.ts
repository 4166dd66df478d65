import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import type { Env } from '../env.ts';
import { requestId } from '../logging.ts';

/** Bytes of a request's body, uploads apart. */
export const BODY_LIMIT = 256 * 1024;

/** Bytes of one uploaded file: a photo as phones take them. */
export const FILE_LIMIT = 12 * 1024 * 1024;

type RouterFault = FastifyServerOptions['frameworkErrors'];

/**
 * Fastify with the bounds that every process has, and one id per request for its log and its answers.
 * @param answerRouterFault answers an address that the router cannot decode, which Nest never hears of.
 */
export function fastifyAdapter(env: Pick<Env, 'TRUST_PROXY'>, answerRouterFault?: RouterFault): FastifyAdapter {
  return new FastifyAdapter({
    ...(answerRouterFault && { frameworkErrors: answerRouterFault }),
    bodyLimit: BODY_LIMIT,
    trustProxy: env.TRUST_PROXY ? ['loopback', 'linklocal', 'uniquelocal'] : false,
    // A photo on a slow line; a client that drips headers or body for ever is cut off.
    requestTimeout: 120_000,
    // pino-http keeps an id that the request already has.
    genReqId: (raw: IncomingMessage) => Object.assign(raw, { id: requestId(raw) }).id,
    multipart: { limits: { files: 1, fileSize: FILE_LIMIT, fields: 20, fieldSize: 64 * 1024, parts: 21 } },
  });
}
