import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ENV, type Env, networkOf, type RateLimit, RateLimits, tooManyRequests } from '#platform';
import { callerOf } from './caller.ts';
import { CALM, type Counted, FROM_RECIPIENTS, RATE_LIMITS } from './rate-limits.ts';

/** Counts every request that reaches a route; runs after the guard that says who called. */
@Injectable()
export class RateGuard implements CanActivate {
  private readonly limits: Readonly<Record<Counted, RateLimit>>;

  constructor(
    private readonly reflector: Reflector,
    limits: RateLimits,
    @Inject(ENV) { RATE_LIMIT_FACTOR: factor }: Env,
  ) {
    const made = Object.entries(RATE_LIMITS).map(([name, { points: usual, windowS }]) => {
      const points = Math.ceil(usual * factor);
      return [name, limits.of({ name: `rate:${name}`, points, windowS, calm: Math.floor(points * CALM) })];
    });
    this.limits = Object.fromEntries(made) as Record<Counted, RateLimit>;
  }

  /** @throws Refusal `too_many_requests` with `retryAfter` in seconds. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.count(
      context.switchToHttp().getRequest<FastifyRequest>(),
      this.isFromRecipients([context.getHandler(), context.getClass()]),
    );
    return true;
  }

  /** Whether a route is `@FromRecipients()`: its handler or its controller says it. */
  isFromRecipients(targets: Parameters<Reflector['getAllAndOverride']>[1]): boolean {
    return this.reflector.getAllAndOverride<boolean | undefined>(FROM_RECIPIENTS, targets) ?? false;
  }

  /** @throws Refusal `too_many_requests` with `retryAfter` in seconds. */
  async count(request: FastifyRequest, fromRecipients: boolean): Promise<void> {
    const [kind, key] = counted(request, fromRecipients);
    const retryAfter = await this.limits[kind].consume(key);
    if (retryAfter !== null) throw tooManyRequests(retryAfter);
  }
}

function counted(request: FastifyRequest, fromRecipients: boolean): readonly [Counted, key: string] {
  const caller = callerOf(request);
  if (caller) return 'secretHash' in caller ? ['device', caller.secretHash] : [caller.kind, caller.id];
  const reference = fromRecipients ? referenceIn(request.body) : undefined;
  return reference === undefined ? ['network', networkOf(request.ip)] : ['recipient', reference];
}

/** The reference of a body that no schema has seen yet: `{ ref }`, or `{ items: [{ ref }] }`, whose first stands for all. */
function referenceIn(body: unknown): string | undefined {
  const { ref, items } = (body ?? {}) as { ref?: unknown; items?: unknown };
  const [first] = Array.isArray(items) ? (items as unknown[]) : [];
  const found = ref ?? (first as { ref?: unknown } | null | undefined)?.ref;
  return typeof found === 'string' ? found.slice(0, 64) : undefined;
}
