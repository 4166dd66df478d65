import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Env } from '#platform';

/**
 * A browser's random name, given at its first sign-in: its failures are counted apart from those of everyone else on its
 * network, so that nobody's guessing locks its officers out. It opens nothing.
 */
export const BROWSER_COOKIE = 'g72_browser';

const NAME = /^[\w-]{43}$/;

const LIFETIME_S = 180 * 24 * 60 * 60;

export function browserOf(request: FastifyRequest): string | undefined {
  const name = request.cookies[BROWSER_COOKIE];
  return name !== undefined && NAME.test(name) ? name : undefined;
}

export function browserCookieOptions(env: Pick<Env, 'NODE_ENV'>): CookieSerializeOptions {
  const secure = env.NODE_ENV === 'production';
  return { httpOnly: true, sameSite: 'strict', path: '/', maxAge: LIFETIME_S, secure };
}
