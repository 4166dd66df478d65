import { type ExecutionContext, HttpStatus, type ParamData, type PipeTransform } from '@nestjs/common';
import { HTTP_CODE_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CallerGuard } from './callers/caller.guard.ts';
import { RateGuard } from './callers/rate.guard.ts';
import type { DirectLane } from './direct-lane.ts';
import { ProblemFilter } from './problem.filter.ts';
import { ValidationPipe } from './validation.pipe.ts';

type Controller = new (...args: never[]) => object;
type Method = (...args: unknown[]) => unknown;

/** What a decorated parameter says of where its argument comes from. */
interface Parameter {
  readonly index: number;
  readonly data?: ParamData;
  readonly schema?: unknown;
  readonly factory?: (data: unknown, context: ExecutionContext) => unknown;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    direct?: { readonly controller: Controller; readonly method: string };
  }
}

/**
 * A route that phones call all at once or all day long: Fastify calls its method without Nest's way there, which costs as much as
 * everything else that is done for such a request. What its decorators say holds as for any other; its parameters are the body
 * and ours (callers/parameters.ts), its answer is JSON or nothing, and it has no guard, pipe, interceptor or header of its own.
 */
export const Direct = (): MethodDecorator => (target, method, descriptor) => {
  const controller = target.constructor as Controller;
  return RouteConfig({ direct: { controller, method: String(method) } })(target, method, descriptor as never) as void;
};

/** Lets Fastify serve the routes that are `@Direct()`. Before `app.init()`. */
export function serveDirectly(app: NestFastifyApplication, lane: DirectLane): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    const { direct } = route.config ?? {};
    if (!direct) return;
    route.handler = handlerOf(app, direct.controller, direct.method);
    lane.add(route);
  });
}

function handlerOf(app: NestFastifyApplication, controller: Controller, name: string) {
  const [callers, rates, problems] = [app.get(CallerGuard), app.get(RateGuard), app.get(ProblemFilter)];
  const instance = app.get<object>(controller, { strict: false });
  const method = (instance as Record<string, Method>)[name] as Method;
  const demands = callers.demandsOf([method, controller]);
  // Their cookie is read where Nest's routes are.
  if (demands.audiences.includes('officers')) throw new Error(`${controller.name}.${name} cannot be @Direct()`);
  const fromRecipients = rates.isFromRecipients([method, controller]);
  const argumentsOf = argumentReader(controller, name, app.get(ValidationPipe));
  const status = (Reflect.getMetadata(HTTP_CODE_METADATA, method) as HttpStatus | undefined) ?? HttpStatus.OK;

  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      await callers.admit(request, demands);
      await rates.count(request, fromRecipients);
      const answer = await method.apply(instance, await argumentsOf(request, reply));
      void reply.status(status).send(answer);
    } catch (error) {
      problems.catch(error, new ExecutionContextHost([request, reply]));
    }
  };
}

type ReadArguments = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown[]>;

/** @throws Error when a parameter is neither the body nor one of our own */
function argumentReader(controller: Controller, method: string, pipe: PipeTransform): ReadArguments {
  const declared = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) as
    Record<string, Parameter> | undefined;
  const readers = Object.entries(declared ?? {})
    .toSorted(([, a], [, b]) => a.index - b.index)
    .map(([key, { factory, data, schema }]) => {
      if (factory) return (context: ExecutionContext) => factory(data, context);
      if (!key.startsWith(`${RouteParamtypes.BODY}:`))
        throw new Error(`${controller.name}.${method} cannot be @Direct()`);
      const metadata = { type: 'body', schema } as Parameters<PipeTransform['transform']>[1];
      return (context: ExecutionContext) =>
        pipe.transform(context.switchToHttp().getRequest<FastifyRequest>().body, metadata) as unknown;
    });
  return (request, reply) => {
    const context = new ExecutionContextHost([request, reply]);
    return Promise.all(readers.map((read) => read(context)));
  };
}
