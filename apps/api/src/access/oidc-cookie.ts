import type { CookieSerializeOptions } from '@fastify/cookie';
import { OIDC_FLOW_S } from '#access';
import type { Env } from '#platform';

/** Holds, sealed, what must come back with an officer from their identity provider. */
export const OIDC_COOKIE = 'g72_oidc';

/** Lax, unlike the session's: it has to come along when another site, the provider, sends the browser back. */
export function oidcCookieOptions(env: Pick<Env, 'NODE_ENV'>): CookieSerializeOptions {
  const secure = env.NODE_ENV === 'production';
  return { httpOnly: true, sameSite: 'lax', path: '/', maxAge: OIDC_FLOW_S, secure };
}
