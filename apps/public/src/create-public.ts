import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { type Env, fastifyAdapter, requestBounds } from '#platform';
import { FAULT_ANSWERS } from './fault-answers.ts';
import { openPageRoute, PageAnswers } from './page-answers.ts';
import { PublicModule } from './public.module.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Connections to the database: the pages come from memory, so that a herd needs few. */
const POOL = 4;

/** The alert pages, not yet listening. */
export async function createPublic(env: Env): Promise<NestFastifyApplication> {
  const small = { ...env, DATABASE_POOL: Math.min(env.DATABASE_POOL, POOL) };
  const adapter = fastifyAdapter(env, FAULT_ANSWERS);
  const instance = adapter.getInstance();
  const bounds = requestBounds(env);
  const answerPages = openPageRoute(instance, bounds);
  const app = await NestFactory.create<NestFastifyApplication>(PublicModule.forRoot(small), adapter, {
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  instance.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(SECURITY_HEADERS);
    done();
  });
  instance.addHook('onRequest', bounds);
  answerPages(app.get(PageAnswers));
  return app;
}
