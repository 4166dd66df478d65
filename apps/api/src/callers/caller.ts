import type { FastifyRequest } from 'fastify';
import type { Actor } from '#access';

/** One installation of the app, by its row. */
export interface DeviceCaller {
  readonly kind: 'device';
  readonly id: number;
  /** SHA-256 of its secret, in hex. */
  readonly secretHash: string;
}

/** Whoever holds a device's secret, if any device has it: a route `@ForUnprovenDevices()` proves it by its own statement. */
export interface UnprovenDevice {
  readonly kind: 'unproven_device';
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
}

/** Who makes a request, once its credential is checked. */
export type Caller = Actor | DeviceCaller | UnprovenDevice;

const callers = new WeakMap<FastifyRequest, Caller>();

export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

export function callerOf(request: FastifyRequest): Caller | undefined {
  return callers.get(request);
}
