import { isNativeError } from 'node:util/types';
import { QueryFailedError } from 'typeorm';

/**
 * SQLSTATEs of what passes by itself (PostgreSQL, appendix A): connection exceptions, resources exhausted, shutdown or
 * start-up, deadlock and serialization failure, lock and statement time-outs.
 */
const PASSING_SQLSTATE = /^(?:08...|53...|57P0[1-3]|57014|40001|40P01|55P03)$/;

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** pg and ioredis give these errors no code; the words are theirs (pg 8, pg-pool 3, ioredis 6). */
const CODELESS = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Query read timeout',
  'Connection is closed',
  'Command timed out',
  "Stream isn't writeable",
  'Reached the max retries per request limit',
];

/** Whether an error says that PostgreSQL or Redis is away or overloaded: the same request may succeed in a moment. */
export function isUnavailable(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  const cause: NodeJS.ErrnoException = error instanceof QueryFailedError ? (error.driverError as Error) : error;
  const code = cause.code ?? '';
  if (isHangUp(cause)) return false;
  if (NETWORK_CODES.has(code) || PASSING_SQLSTATE.test(code)) return true;
  return CODELESS.some((words) => cause.message.startsWith(words));
}

/** Whether an error says that the client went away before its request was whole: nobody is there to be answered. */
export function isHangUp(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  const { code = '', message }: NodeJS.ErrnoException = error;
  // Node's http says no more of it (`connResetException('aborted')`); @fastify/multipart has its own word.
  return (code === 'ECONNRESET' && message === 'aborted') || code === 'FST_MP_PREMATURE_CLOSE';
}
