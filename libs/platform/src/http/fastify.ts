import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import type { Env } from '../env.ts';
import { PHOTO_MAX_BYTES } from '../image.ts';
import { requestId } from '../logging.ts';
import { type ParserAnswer, type ParserFault, parserFaultHandler } from './parser-faults.ts';

/** Bytes of a request's body, uploads apart. */
const BODY_LIMIT = 256 * 1024;

/** Bytes of one uploaded file: a photo as phones take them. */
const FILE_LIMIT = PHOTO_MAX_BYTES;

/** How a process answers what Nest never hears of. */
export interface FaultAnswers {
  /** An address that the router cannot decode, or that is too long. */
  readonly router: NonNullable<FastifyServerOptions['frameworkErrors']>;
  /** Bytes that are not a request. */
  readonly parser: (fault: ParserFault) => ParserAnswer;
}

/** Fastify with the bounds that every process has, and one id per request for its log and its answers. */
export function fastifyAdapter(env: Pick<Env, 'TRUST_PROXY'>, answers?: FaultAnswers): FastifyAdapter {
  return new FastifyAdapter({
    ...(answers && { frameworkErrors: answers.router, clientErrorHandler: parserFaultHandler(answers.parser) }),
    bodyLimit: BODY_LIMIT,
    trustProxy: env.TRUST_PROXY ? ['loopback', 'linklocal', 'uniquelocal'] : false,
    // A photo on a slow line; a client that drips headers or body for ever is cut off.
    requestTimeout: 120_000,
    // pino-http keeps an id that the request already has.
    genReqId: (raw: IncomingMessage) => Object.assign(raw, { id: requestId(raw) }).id,
    multipart: { limits: { files: 1, fileSize: FILE_LIMIT, fields: 20, fieldSize: 64 * 1024, parts: 21 } },
  });
}
