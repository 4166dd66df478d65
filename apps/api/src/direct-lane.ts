import type { IncomingMessage, RequestListener } from 'node:http';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastify, type FastifyInstance, type onRequestHookHandler, type RouteOptions } from 'fastify';
import { Draining, type Env, fastifyOptions, RequestLog, RequestMetrics } from '#platform';
import { FAULT_ANSWERS } from './problem.ts';
import { ProblemFilter } from './problem.filter.ts';
import { addSecurityHeaders } from './security-headers.ts';

/**
 * A Fastify behind Nest's own listener, for routes to which Nest's middleware, cookies, forms and traces are nothing but a third of
 * their cost. The same bounds hold in it, and what it answers, counts and logs is the same; any of its routes may be asked by way of
 * Nest's too.
 */
export class DirectLane {
  private readonly lane: FastifyInstance;
  private readonly addresses = new Set<string>();

  constructor(
    private readonly app: NestFastifyApplication,
    env: Env,
    bounds: onRequestHookHandler,
  ) {
    this.lane = fastify(fastifyOptions(env, FAULT_ANSWERS));
    const [log, problems] = [app.get(RequestLog), app.get(ProblemFilter)];
    addSecurityHeaders(this.lane, env);
    app.get(Draining).takeLeaveIn(this.lane);
    app.get(RequestMetrics).measureIn(this.lane);
    this.lane.addHook('onRequest', bounds);
    this.lane.addHook('onResponse', (request, reply, done) => {
      log.note(request, reply);
      done();
    });
    this.lane.setErrorHandler((error, request, reply) => {
      problems.catch(error, new ExecutionContextHost([request, reply]));
    });
  }

  add({ method, url, handler }: Pick<RouteOptions, 'method' | 'url' | 'handler'>): void {
    this.lane.route({ method, url, handler });
    for (const one of [method].flat()) this.addresses.add(`${one} ${url}`);
  }

  /** Serves its routes from now on. */
  async open(): Promise<void> {
    await this.lane.ready();
    const server = this.app.getHttpServer();
    const [usual] = server.listeners('request') as RequestListener[];
    if (!usual) throw new Error('Nest’s listener has nobody who answers');
    server.removeListener('request', usual);
    server.on('request', (request, response) => {
      if (this.addresses.has(addressOf(request))) this.lane.routing(request, response);
      else usual(request, response);
    });
  }
}

function addressOf({ method, url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return `${method} ${query === -1 ? url : url.slice(0, query)}`;
}
