import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Client } from '#access';
import { idempotencyKey } from '../schemas/common.ts';
import { invalidRequest } from '../validation.pipe.ts';
import { browserOf } from './browser-cookie.ts';
import { type Caller, callerOf } from './caller.ts';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>();

function callerAmong<Kind extends Caller['kind']>(context: ExecutionContext, ...kinds: Kind[]) {
  const caller = callerOf(requestOf(context));
  if (caller && (kinds as Caller['kind'][]).includes(caller.kind)) return caller as Extract<Caller, { kind: Kind }>;
  throw new Error('the route asks for a caller that its audience does not name');
}

/** The signed-in officer, an OfficerActor, on a route `@ForOfficers()`. */
export const CurrentOfficer = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerAmong(context, 'officer'),
);

/** The officer or agency key, an Actor. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerAmong(context, 'officer', 'agency_key'),
);

/** The device, a DeviceCaller, on a route `@ForDevices()`. */
export const CurrentDevice = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerAmong(context, 'device'),
);

/** Whoever holds a device's secret, an UnprovenDevice, on a route `@ForUnprovenDevices()`. */
export const CurrentUnprovenDevice = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerAmong(context, 'unproven_device'),
);

/** The client's address, for throttling alone: it is neither stored nor logged. */
export const ClientAddress = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).ip);

/** Where an officer's proof comes from, a Client: for throttling alone. */
export const CurrentClient = createParamDecorator((_: unknown, context: ExecutionContext): Client => {
  const request = requestOf(context);
  return { address: request.ip, browser: browserOf(request) };
});

/** The required `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header). */
export const IdempotencyKey = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => parseKey(context, idempotencyKey),
  [documentKey(true)],
);

/** The header where a client may leave it out: a tip in ten seconds must not fail for want of one. */
export const OptionalIdempotencyKey = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | undefined => parseKey(context, idempotencyKey.optional()),
  [documentKey(false)],
);

function parseKey<Schema extends z.ZodType>(context: ExecutionContext, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(requestOf(context).headers['idempotency-key']);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues, 'Idempotency-Key');
}

function documentKey(required: boolean) {
  const description = 'Your own name for this request: a repeat has no effect and gets the same answer.';
  const schema = { type: 'string', minLength: 8, maxLength: 200 };
  const header = ApiHeader({ name: 'Idempotency-Key', required, description, schema });
  return (controller: object, method: string | symbol | undefined): void => {
    const descriptor = method === undefined ? undefined : Object.getOwnPropertyDescriptor(controller, method);
    if (method !== undefined && descriptor) header(controller, method, descriptor);
  };
}
