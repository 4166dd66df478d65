import { setTimeout as pause } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { drainMs, ENV, type Env } from '../env.ts';
import { Readiness } from './readiness.ts';

/**
 * Lets a process that is told to end be left in good order: it says that it is not ready, goes on answering until its balancer has
 * heard, and takes leave of each connection with its next answer. Then the listener closes, and what is under way is
 * finished.
 */
@Injectable()
export class Draining implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    @Inject(ENV) private readonly env: Env,
    private readonly readiness: Readiness,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
  ) {}

  onModuleInit(): void {
    this.takeLeaveIn(this.host.httpAdapter.getInstance());
  }

  /** Makes the routes of a Fastify beside Nest's take leave too. */
  takeLeaveIn(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (_request, reply, done) => {
      // Else it would be closed between two requests, maybe with the next one on its way.
      if (this.readiness.stopping) void reply.header('connection', 'close');
      done();
    });
  }

  /** A close that no signal asked for is a program's own, which knows that nobody comes. */
  async beforeApplicationShutdown(signal?: string): Promise<void> {
    if (signal !== undefined) await pause(drainMs(this.env));
  }
}
