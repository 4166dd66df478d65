import { HttpException } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type FaultAnswers, isHangUp, isUnavailable, Refusal } from '#platform';
import { type ApiRefusal, isProblemCode, type ProblemCode, PROBLEMS } from './problems.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** RFC 9457 problem details, with our stable code and the members of the refusal. */
export interface Problem {
  /** `urn:golden72:problem:<code>`: a name, not an address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** `urn:golden72:request:<id>`: what to quote when asking for help; our log has the same id. */
  readonly instance: string;
  readonly [member: string]: unknown;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const MEDIA_TYPE = 'This address takes another Content-Type: application/json or, for an upload, multipart/form-data.';

/** What Nest and Fastify refuse by themselves, by HTTP status. */
const FRAMEWORK: Readonly<Record<number, { code: ApiRefusal; detail: string }>> = {
  403: { code: 'cross_site_request', detail: 'Requests that change something must come from this site.' },
  404: { code: 'route_not_found', detail: 'There is nothing at this address for this method.' },
  405: { code: 'method_not_allowed', detail: 'This address does not take this method.' },
  406: { code: 'unsupported_media_type', detail: MEDIA_TYPE },
  408: { code: 'request_timeout', detail: 'The request did not arrive in time.' },
  413: { code: 'body_too_large', detail: 'The request holds more than this address takes.' },
  414: { code: 'uri_too_long', detail: 'A part of the address is too long.' },
  415: { code: 'unsupported_media_type', detail: MEDIA_TYPE },
  431: { code: 'header_too_large', detail: 'The request’s header holds more than this server takes.' },
};

/** Fastify's codes and names for a JSON body that is none. */
const MALFORMED_JSON = /^FST_ERR_CTP_(?:INVALID|EMPTY)_JSON_BODY$/;

/** Seconds after which a client may try again while a server is away. */
const RETRY_AFTER_S = 5;

/** Turns whatever was thrown into a refusal: expected ones as they are, the rest without a word of their own. */
export function toRefusal(error: unknown): Refusal<ProblemCode> {
  if (isProblem(error)) return error;
  const refused = fromFramework(error);
  if (refused) return refused;
  if (isHangUp(error)) return new Refusal('invalid_request', 'The request ended before it was whole.', { issues: [] });
  if (isUnavailable(error)) {
    const detail = 'A part of the system does not answer. Try again in a moment.';
    return new Refusal('temporarily_unavailable', detail, { retryAfter: RETRY_AFTER_S });
  }
  return new Refusal('internal_error', 'The fault is logged under the request id.');
}

function isProblem(error: unknown): error is Refusal<ProblemCode> {
  return error instanceof Refusal && isProblemCode((error as Refusal).code);
}

export function problemOf(refusal: Refusal<ProblemCode>, requestId: string): Problem {
  const { status, title } = PROBLEMS[refusal.code];
  return {
    ...refusal.members,
    type: `urn:golden72:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    instance: `urn:golden72:request:${requestId}`,
  };
}

/** No hook and no filter sees these answers. */
const FAULT_HEADERS = {
  ...SECURITY_HEADERS,
  'content-type': PROBLEM_TYPE,
  'cache-control': 'no-store',
};

/** Problems for what is refused before Nest hears of it. */
export const FAULT_ANSWERS: FaultAnswers = {
  router: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(toRefusal(error), request.id);
    void reply.status(problem.status).headers(FAULT_HEADERS).send(problem);
  },
  parser: (fault) => {
    const problem = problemOf(refusalOf(fault), 'unknown');
    return { headers: FAULT_HEADERS, body: JSON.stringify(problem) };
  },
};

/** What Nest or Fastify refused, or undefined for anything else. */
function fromFramework(error: unknown): Refusal<ProblemCode> | undefined {
  const status = frameworkStatus(error);
  if (status === undefined || status >= 500) return undefined;
  if (status === 400 && isMalformedJson(error)) {
    return new Refusal(
      'malformed_json',
      'The body cannot be read as JSON. Look for a quote, a comma or a bracket that is missing, or for no body at all.',
    );
  }
  return refusalOf(status);
}

function refusalOf(status: number): Refusal<ApiRefusal> {
  const known = FRAMEWORK[status];
  return known
    ? new Refusal(known.code, known.detail)
    : new Refusal(
        'invalid_request',
        'The request cannot be understood. A file goes in the field `photo`; /openapi.json has the form of every request.',
        { issues: [] },
      );
}

function frameworkStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error) || error.name !== 'FastifyError') return undefined;
  return (error as FastifyError).statusCode;
}

function isMalformedJson(error: unknown): boolean {
  const cause = error instanceof HttpException ? error.cause : error;
  return cause instanceof SyntaxError || MALFORMED_JSON.test((cause as FastifyError | undefined)?.code ?? '');
}
