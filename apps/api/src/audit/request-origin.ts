import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { networkOf, RequestContext, type RequestFacts } from '#platform';
import { callerOf } from '../callers/caller.ts';

/** The header by which an officer says why they read a case that is not theirs. */
const READ_REASON = 'read-reason';

/** Lets the audit know, in whatever a request does, from where it comes and why. Before `app.init()`. */
export function trackOrigins(app: NestFastifyApplication): void {
  const context = app.get(RequestContext);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => context.run(factsOf(request), done));
}

/** Asked when it is needed: most requests need nothing of it, and who calls is known only after the guard has looked. */
function factsOf(request: FastifyRequest): RequestFacts {
  return {
    get network() {
      return networkOf(request.ip);
    },
    get sessionId() {
      const caller = callerOf(request);
      return caller?.kind === 'officer' ? caller.sessionId : null;
    },
    get reason() {
      const stated = request.headers[READ_REASON];
      return typeof stated === 'string' ? stated : null;
    },
  };
}
