import { type CanActivate, type ExecutionContext, ForbiddenException, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ENV, type Env } from '#platform';

/**
 * Takes nothing that another site's page sends in its visitor's name and from their network. There is no session to misuse, but
 * false tips in many people's names would cost a search its time. Our pages tell nobody where their visitors come from, so
 * that browsers send `Origin: null` with our own form (Fetch, 'append a request Origin header'): what tells is Sec-Fetch-Site, and
 * Origin only where a browser has no such header and names another site.
 */
@Injectable()
export class SameSiteGuard implements CanActivate {
  private readonly own: string;

  constructor(@Inject(ENV) { PUBLIC_URL }: Pick<Env, 'PUBLIC_URL'>) {
    this.own = new URL(PUBLIC_URL).origin;
  }

  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (method !== 'POST' || this.isOurs(headers['sec-fetch-site'], headers.origin)) return true;
    throw new ForbiddenException();
  }

  private isOurs(site: string | string[] | undefined, origin: string | undefined): boolean {
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    return origin === undefined || origin === 'null' || origin === this.own;
  }
}
