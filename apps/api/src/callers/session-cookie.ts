import type { CookieSerializeOptions } from '@fastify/cookie';
import { SESSION_LIFETIME_S } from '#access';
import type { Env } from '#platform';

export const SESSION_COOKIE = 'g72_session';

/** Out of reach of scripts, of other sites and, in production, of plain HTTP. */
export function sessionCookieOptions(env: Pick<Env, 'NODE_ENV'>): CookieSerializeOptions {
  const secure = env.NODE_ENV === 'production';
  return { httpOnly: true, sameSite: 'strict', path: '/', maxAge: SESSION_LIFETIME_S, secure };
}
