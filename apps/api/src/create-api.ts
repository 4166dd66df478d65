import fastifyCookie from '@fastify/cookie';
import { type DynamicModule, UnsupportedMediaTypeException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { type Env, fastifyAdapter, requestBounds } from '#platform';
import { ApiModule } from './api.module.ts';
import { trackOrigins } from './audit/request-origin.ts';
import { DirectLane } from './direct-lane.ts';
import { serveDirectly } from './direct-routes.ts';
import { nameHostCookies } from './host-cookies.ts';
import { serveOpenApi } from './openapi.ts';
import { FAULT_ANSWERS } from './problem.ts';
import { traceRequests } from './request-traces.ts';
import { addSecurityHeaders } from './security-headers.ts';

/**
 * Makes the api, ready to listen.
 * @param more modules beside the api's own, e.g. a test's.
 * @throws Error when a route does not say who may call it, or a server cannot be reached.
 */
export async function createApi(env: Env, more: DynamicModule['imports'] = []): Promise<NestFastifyApplication> {
  const adapter = fastifyAdapter(env, FAULT_ANSWERS);
  const instance = adapter.getInstance();
  addSecurityHeaders(instance, env);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(env, more), adapter, {
    abortOnError: false,
    bufferLogs: true,
  });
  try {
    app.useLogger(app.get(Logger));
    trackOrigins(app);
    if (env.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) traceRequests(app);
    await app.register(fastifyCookie);
    nameHostCookies(app, env);
    const bounds = requestBounds(env);
    instance.addHook('onRequest', bounds);
    // For every request that changes something, signed in or not: signing a victim in as someone else is an attack too.
    app.enableCsrfProtection();
    refuseForms(app);
    const lane = new DirectLane(app, env, bounds);
    serveDirectly(app, lane);
    serveOpenApi(app);
    await app.init();
    await lane.open();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/**
 * Nest would read a form that is not an upload, and JSON sent as one (as curl does by itself) would come back in the answer as
 * the name of a field, password and all.
 */
function refuseForms(app: NestFastifyApplication): void {
  app.useBodyParser('application/x-www-form-urlencoded', {}, (_request, _body, done) => {
    done(new UnsupportedMediaTypeException());
  });
}
