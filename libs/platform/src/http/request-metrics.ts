import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics } from 'prom-client';
import { Metrics } from '../metrics.ts';

/** How long requests take, and what Node tells of the process: memory, event loop, garbage. */
@Injectable()
export class RequestMetrics implements OnModuleInit {
  private readonly requests;

  constructor(
    metrics: Metrics,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {
    collectDefaultMetrics({ register: metrics.registry });
    this.requests = metrics.histogram(
      'golden72_http_request_seconds',
      'Time from a request to its answer, by route template.',
      [0.005, 0.025, 0.1, 0.5, 2, 10],
      ['method', 'route', 'status'],
    );
  }

  onModuleInit(): void {
    this.measureIn(this.host.httpAdapter.getInstance());
  }

  /** Measures the routes of a Fastify beside Nest's too. */
  measureIn(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      // The template, never the path: ids and link tokens would make a series each, and stay.
      const route = request.routeOptions.url ?? 'none';
      const labels = { method: request.method, route, status: reply.statusCode };
      this.requests.observe(labels, reply.elapsedTime / 1000);
      done();
    });
  }
}
