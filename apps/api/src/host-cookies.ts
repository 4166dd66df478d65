import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Env } from '#platform';

/** Of a cookie that this host alone can have set, over https, for all its paths (RFC 6265bis §4.1.3.2). */
const PREFIX = '__Host-';

/** A cookie at the head of a Set-Cookie line. */
const OURS = /^(?=g72_)/;

/**
 * Names our cookies `__Host-…` in production, outside; inside their names stay as they are. Any other cookie that comes is
 * dropped: a neighbour's site on the same domain, or somebody on plain http, could have planted it. After the cookie plugin.
 */
export function nameHostCookies(app: NestFastifyApplication, { NODE_ENV }: Pick<Env, 'NODE_ENV'>): void {
  if (NODE_ENV !== 'production') return;
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const planted = Object.entries(request.cookies).filter(([name]) => name.startsWith(PREFIX));
    request.cookies = Object.fromEntries(planted.map(([name, value]) => [name.slice(PREFIX.length), value]));
    done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const lines = reply.getHeader('set-cookie');
    if (lines !== undefined) void reply.removeHeader('set-cookie').header('set-cookie', [lines].flat().map(outside));
    done(null, payload);
  });
}

const outside = (line: string | number) => String(line).replace(OURS, PREFIX);
