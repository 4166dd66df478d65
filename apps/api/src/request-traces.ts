import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { Span } from '#platform';

/** What officers and other police systems do with cases and alerts. What phones do all day would bury it. */
const TRACED = /^\/v1\/(?:cases|alerts|asks|intake)\b/;

/**
 * A trace a request that does something. A traceparent that comes from outside is not taken: whoever sent it would decide what is kept. Before
 * `app.init()`.
 */
export function traceRequests(app: NestFastifyApplication): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method } = request;
    const { url: route = '' } = request.routeOptions;
    if (method === 'GET' || method === 'HEAD' || !TRACED.test(route)) return done();
    const span = Span.ofRequest(`${method} ${route}`, { 'http.request.method': method, 'http.route': route });
    spans.set(request, span);
    span.run(done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.note({ 'http.response.status_code': reply.statusCode });
    span?.end(reply.statusCode >= 500);
    done();
  });
}
