import type { FastifyRequest } from 'fastify';
import type { Actor } from '#access';

/** One installation of the app, by its row. */
export interface DeviceCaller {
  readonly kind: 'device';
  readonly id: number;
}

/** Who makes a request, once its credential is checked. */
export type Caller = Actor | DeviceCaller;

const callers = new WeakMap<FastifyRequest, Caller>();

export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

export function callerOf(request: FastifyRequest): Caller | undefined {
  return callers.get(request);
}
