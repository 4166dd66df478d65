import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AgencyKeys, Sessions } from '#access';
import { AUDIENCES, Refusal } from '#platform';
import type { ProblemCode } from '../problems.ts';
import { type Audience, BEFORE_SECOND_FACTOR } from './audiences.ts';
import { type Caller, setCaller } from './caller.ts';
import { DEVICE_AUTHENTICATOR, type DeviceAuthenticator } from './device-authenticator.ts';
import { SESSION_COOKIE } from './session-cookie.ts';

type Credentialed = Exclude<Audience, 'public'>;

/** How one audience shows who it is. */
interface Door {
  /** The secret that came with the request, if one of this kind did. */
  secret(request: FastifyRequest): string | undefined;
  enter(secret: string, enrolling: boolean): Promise<Caller>;
  readonly refusal: Refusal<ProblemCode>;
}

/** Lets nobody in whom the route does not name, and remembers who came. */
@Injectable()
export class CallerGuard implements CanActivate {
  private readonly doors: Record<Credentialed, Door>;

  constructor(
    private readonly reflector: Reflector,
    private readonly modules: ModuleRef,
    sessions: Sessions,
    agencyKeys: AgencyKeys,
  ) {
    this.doors = {
      officers: {
        secret: (request) => request.cookies[SESSION_COOKIE],
        enter: (secret, enrolling) => sessions.actorOf(secret, { enrolling }),
        refusal: new Refusal('session_invalid', 'Sign in first.'),
      },
      devices: {
        secret: (request) => bearer(request, 'g72d_'),
        enter: (secret) => this.device(secret),
        refusal: deviceInvalid,
      },
      agency_keys: {
        secret: (request) => bearer(request, 'g72k_'),
        enter: (secret) => agencyKeys.actorOf(secret),
        refusal: new Refusal('agency_key_invalid', 'Send your agency key: Authorization: Bearer g72k_…'),
      },
    };
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const declared = [context.getHandler(), context.getClass()];
    const audiences = this.reflector.getAllAndOverride<Audience[] | undefined>(AUDIENCES, declared) ?? [];
    if (audiences.includes('public')) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const enrolling = this.reflector.getAllAndOverride<true | undefined>(BEFORE_SECOND_FACTOR, declared) ?? false;
    setCaller(request, await this.identify(request, audiences as Credentialed[], enrolling));
    return true;
  }

  private async identify(
    request: FastifyRequest,
    audiences: readonly Credentialed[],
    enrolling: boolean,
  ): Promise<Caller> {
    const doors = audiences.map((audience) => this.doors[audience]);
    for (const door of doors) {
      const secret = door.secret(request);
      if (secret !== undefined) return door.enter(secret, enrolling);
    }
    throw doors[0]?.refusal ?? new Error('a route without an audience was started');
  }

  private async device(secret: string): Promise<Caller> {
    const authenticate = this.modules.get<DeviceAuthenticator>(DEVICE_AUTHENTICATOR, { strict: false });
    const device = await authenticate(secret);
    if (!device) throw deviceInvalid;
    return { kind: 'device', id: device.id };
  }
}

const deviceInvalid = new Refusal<ProblemCode>('device_invalid', 'Register the device again.');

/** The token after `Bearer <prefix>` (RFC 6750 §2.1). */
function bearer(request: FastifyRequest, prefix: string): string | undefined {
  const [type, token] = request.headers.authorization?.split(' ') ?? [];
  return type?.toLowerCase() === 'bearer' && token?.startsWith(prefix) ? token.slice(prefix.length) : undefined;
}
