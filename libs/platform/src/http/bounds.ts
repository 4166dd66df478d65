import type { onRequestHookHandler } from 'fastify';
import type { Env } from '../env.ts';
import { LocalCounts } from '../local-counts.ts';
import { networkOf } from '../network.ts';
import { Refusal } from '../refusal.ts';

/** Refusals made before a route is asked. */
export type BoundsRefusal = 'header_too_large' | 'too_many_requests';

/** Fields of a request's header; browsers send about twenty, and proxies add a few. */
export const MAX_HEADER_FIELDS = 100;

/**
 * Requests of one network that one process takes in a minute, whatever they ask. Ten thousand phones behind one carrier's
 * address that a push wakes send about three each at once; beyond it stands a machine, and one process serves ten times as
 * many. Counted in memory: to ask Redis for each would cost more than most answers do.
 */
export const FLOOD = { points: 60_000, windowS: 60 } as const;

/**
 * A hook that refuses floods and monstrous headers before their bodies are read, for all of a process's routes that it stands before: they
 * are counted together. Its answers have the headers of hooks added earlier.
 */
export function requestBounds(env: Pick<Env, 'RATE_LIMIT_FACTOR'>): onRequestHookHandler {
  const points = Math.ceil(FLOOD.points * env.RATE_LIMIT_FACTOR);
  const flood = new LocalCounts(FLOOD.windowS * 1000);
  return (request, _reply, done) => {
    if (request.raw.rawHeaders.length > 2 * MAX_HEADER_FIELDS) return done(headerTooLarge());
    if (flood.add(networkOf(request.ip)) <= points) return done();
    done(tooManyRequests(Math.ceil(flood.endsInMs / 1000)));
  };
}

/** @param retryAfterS whole seconds until it is worth trying again */
export function tooManyRequests(retryAfterS: number): Refusal<BoundsRefusal> {
  const detail = 'Too many requests came from you or your network. Wait before you try again.';
  return new Refusal('too_many_requests', detail, { retryAfter: Math.max(1, retryAfterS) });
}

function headerTooLarge(): Refusal<BoundsRefusal> {
  return new Refusal('header_too_large', `A request has at most ${MAX_HEADER_FIELDS} header fields.`);
}
