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

/** How long and how many, in milliseconds where not said otherwise. */
export interface Bounds {
  /** From a connection's begin, or the end of the request before, to a header that is whole: a phone on a bad line needs seconds. */
  readonly headersMs: number;
  /** To a request that is whole: a photo on a slow line. */
  readonly requestMs: number;
  /** How often the two above are checked. */
  readonly checkEveryMs: number;
  /** Without a byte either way. */
  readonly idleMs: number;
  /** Between requests. A proxy must be the one to close, or it sends a request into a closing connection. */
  readonly keepAliveMs: Readonly<Record<'direct' | 'behindProxy', number>>;
  /** Connections of one process at the same time; more are closed at once. */
  readonly connections: number;
  /** Requests on one connection; then it is closed, so that a balancer can spread them anew. */
  readonly requestsPerConnection: number;
}

const BOUNDS: Bounds = {
  headersMs: 15_000,
  requestMs: 120_000,
  checkEveryMs: 5_000,
  idleMs: 90_000,
  keepAliveMs: { direct: 10_000, behindProxy: 75_000 },
  connections: 20_000,
  requestsPerConnection: 10_000,
};

/** Bytes of a request's header, all fields together. */
const HEADER_LIMIT = 16 * 1024;

/** How a process answers what Nest never hears of. */
export interface FaultAnswers {
  /** An address that the router cannot decode, or that is too long. */
  readonly router: NonNullable<FastifyServerOptions['frameworkErrors']>;
  /** Bytes that are not a request. */
  readonly parser: (fault: ParserFault) => ParserAnswer;
}

/** Fastify with the bounds that every process has, and one id per request for its log and its answers. */
export function fastifyAdapter(
  env: Pick<Env, 'TRUST_PROXY'>,
  answers?: FaultAnswers,
  bounds: Bounds = BOUNDS,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    ...fastifyOptions(env, answers),
    ...timeouts(bounds, env.TRUST_PROXY),
    multipart: {
      limits: { files: 1, fileSize: FILE_LIMIT, fields: 20, fieldSize: 64 * 1024, parts: 21, headerPairs: 20 },
    },
  });
  adapter.getInstance().server.maxConnections = bounds.connections;
  return adapter;
}

/** What holds for a request wherever in a process it is served; the bounds on connections are the listener's. */
export function fastifyOptions(env: Pick<Env, 'TRUST_PROXY'>, answers?: FaultAnswers) {
  return {
    ...(answers && { frameworkErrors: answers.router, clientErrorHandler: parserFaultHandler(answers.parser) }),
    bodyLimit: BODY_LIMIT,
    // What came in on an open connection is answered, also while the listener closes.
    return503OnClosing: false,
    trustProxy: env.TRUST_PROXY ? ['loopback', 'linklocal', 'uniquelocal'] : false,
    // pino-http keeps an id that the request already has.
    genReqId: (raw: IncomingMessage) => Object.assign(raw, { id: requestId(raw) }).id,
  } satisfies FastifyServerOptions;
}

function timeouts(bounds: Bounds, behindProxy: boolean) {
  return {
    requestTimeout: bounds.requestMs,
    connectionTimeout: bounds.idleMs,
    keepAliveTimeout: behindProxy ? bounds.keepAliveMs.behindProxy : bounds.keepAliveMs.direct,
    maxRequestsPerSocket: bounds.requestsPerConnection,
    http: {
      maxHeaderSize: HEADER_LIMIT,
      headersTimeout: bounds.headersMs,
      connectionsCheckingInterval: bounds.checkEveryMs,
    },
  };
}
