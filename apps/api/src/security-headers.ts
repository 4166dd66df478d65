import type { FastifyInstance } from 'fastify';
import type { Env } from '#platform';

/** Answers of the api are data: no browser has anything to run, frame or draw of them. */
export const SECURITY_HEADERS = {
  'content-security-policy': `default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
};

/** A year, as browsers' lists ask at least; other names of the police's domain decide for themselves (RFC 6797). */
const TRANSPORT_SECURITY = { 'strict-transport-security': 'max-age=31536000' };

/**
 * Sets them on every answer, whoever makes it, unless the answer has its own. Where officers come by plain http, a promise of
 * https would be broken.
 */
export function addSecurityHeaders(fastify: FastifyInstance, { API_URL }: Pick<Env, 'API_URL'>): void {
  const headers = Object.entries({ ...SECURITY_HEADERS, ...(API_URL.startsWith('https:') && TRANSPORT_SECURITY) });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    for (const [name, value] of headers) if (!reply.hasHeader(name)) void reply.header(name, value);
    done(null, payload);
  });
}
