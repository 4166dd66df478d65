import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { type Env, fastifyAdapter } from '#platform';
import { WorkerModule } from './worker.module.ts';

/** A worker that has not yet begun: `init()` or `listen()` starts its processors and its sweep. */
export async function createWorker(env: Env): Promise<NestFastifyApplication> {
  const module = WorkerModule.forRoot(env);
  const app = await NestFactory.create<NestFastifyApplication>(module, fastifyAdapter(env), { bufferLogs: true });
  app.useLogger(app.get(Logger));
  return app;
}
