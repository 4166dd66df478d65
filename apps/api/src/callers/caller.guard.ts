import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { AgencyKeys, Sessions } from '#access';
import { AUDIENCES, hashSecret, Refusal } from '#platform';
import type { ProblemCode } from '../problems.ts';
import { type Audience, BEFORE_SECOND_FACTOR, UNPROVEN } from './audiences.ts';
import { type Caller, setCaller } from './caller.ts';
import { DEVICE_AUTHENTICATOR, type DeviceAuthenticator } from './device-authenticator.ts';
import { SESSION_COOKIE } from './session-cookie.ts';

type Credentialed = Exclude<Audience, 'public'>;

/** What a route says of who may call it. */
export interface Demands {
  readonly audiences: readonly Audience[];
  /** Open to officers without the second factor that is demanded. */
  readonly enrolling: boolean;
  /** Proves a device by itself. */
  readonly unproven: boolean;
}

/** How one audience shows who it is. */
interface Door {
  /** The secret that came with the request, if one of this kind did. */
  secret(request: FastifyRequest): string | undefined;
  enter(secret: string, demands: Demands): Promise<Caller> | Caller;
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
        enter: (secret, { enrolling }) => sessions.actorOf(secret, { enrolling }),
        refusal: new Refusal('session_invalid', 'Sign in first.'),
      },
      devices: {
        secret: (request) => bearer(request, 'g72d_'),
        enter: (secret, { unproven }) => this.device(secret, unproven),
        refusal: deviceInvalid(),
      },
      agency_keys: {
        secret: (request) => bearer(request, 'g72k_'),
        enter: (secret) => agencyKeys.actorOf(secret),
        refusal: new Refusal('agency_key_invalid', 'Send your agency key: Authorization: Bearer g72k_…'),
      },
    };
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.admit(
      context.switchToHttp().getRequest<FastifyRequest>(),
      this.demandsOf([context.getHandler(), context.getClass()]),
    );
    return true;
  }

  /** What a route demands of its callers: its handler and its controller say it. */
  demandsOf(targets: Parameters<Reflector['getAllAndOverride']>[1]): Demands {
    const flag = (name: symbol) => this.reflector.getAllAndOverride<true | undefined>(name, targets) ?? false;
    return {
      audiences: this.reflector.getAllAndOverride<Audience[] | undefined>(AUDIENCES, targets) ?? [],
      enrolling: flag(BEFORE_SECOND_FACTOR),
      unproven: flag(UNPROVEN),
    };
  }

  /** Notes who calls. @throws Refusal by the first audience's door when nobody comes whom the route names */
  async admit(request: FastifyRequest, demands: Demands): Promise<void> {
    if (!demands.audiences.includes('public')) setCaller(request, await this.identify(request, demands));
  }

  private async identify(request: FastifyRequest, demands: Demands): Promise<Caller> {
    const doors = (demands.audiences as Credentialed[]).map((audience) => this.doors[audience]);
    for (const door of doors) {
      const secret = door.secret(request);
      if (secret !== undefined) return door.enter(secret, demands);
    }
    throw doors[0]?.refusal ?? new Error('a route without an audience was started');
  }

  private async device(secret: string, unproven: boolean): Promise<Caller> {
    const secretHash = hashSecret(secret).toString('hex');
    if (unproven) return { kind: 'unproven_device', secretHash };
    const authenticate = this.modules.get<DeviceAuthenticator>(DEVICE_AUTHENTICATOR, { strict: false });
    const device = await authenticate(secret);
    if (!device) throw deviceInvalid();
    return { kind: 'device', id: device.id, secretHash };
  }
}

/** No device holds the secret that came. */
export function deviceInvalid(): Refusal<ProblemCode> {
  return new Refusal('device_invalid', 'Register the device again.');
}

/** The token after `Bearer <prefix>` (RFC 6750 §2.1). */
function bearer(request: FastifyRequest, prefix: string): string | undefined {
  const [type, token] = request.headers.authorization?.split(' ') ?? [];
  return type?.toLowerCase() === 'bearer' && token?.startsWith(prefix) ? token.slice(prefix.length) : undefined;
}
