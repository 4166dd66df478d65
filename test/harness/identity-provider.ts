import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import type { Certificate } from '../../apps/fcm-simulator/src/certificate.ts';

/** How the next person proves who they are to the provider. */
interface Proof {
  readonly subject: string;
  readonly amr?: readonly string[];
  /** Seconds since the epoch, for somebody who did so long ago. */
  readonly at?: number;
  /** Refuses instead. */
  readonly denies?: boolean;
}

export interface TestIdentityProvider {
  readonly issuer: string;
  /** `host:port`, for OUTBOUND_ALLOW. */
  readonly place: string;
  proof: Proof;
  /** Token requests so far. */
  readonly exchanges: number;
  close(): Promise<void>;
}

export const CLIENT_ID = 'golden72';

/** A real OpenID provider on loopback, over TLS, whose people sign in without being asked. */
export async function startIdentityProvider(
  certificate: Certificate,
  redirectUris: readonly string[],
  clientSecret?: string,
): Promise<TestIdentityProvider> {
  const server = createServer({ cert: certificate.cert, key: certificate.key });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const place = `localhost:${(server.address() as AddressInfo).port}`;
  const issuer = `https://${place}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        redirect_uris: [...redirectUris],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        ...(clientSecret === undefined
          ? { token_endpoint_auth_method: 'none' }
          : { token_endpoint_auth_method: 'client_secret_basic', client_secret: clientSecret }),
      },
    ],
    jwks: {
      keys: [
        { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig' },
      ],
    },
    cookies: { keys: ['a key of this test'] },
    claims: { openid: ['sub', 'amr'] },
    // Its own defaults say at length that they are defaults.
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // Nobody is asked whether golden72 may know who they are.
    loadExistingGrant: async ({ oidc }) => {
      const { client, session } = oidc;
      if (!client || !session?.accountId) return undefined;
      const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  const callback = provider.callback();
  const state = { proof: { subject: 'nobody' } as Proof, exchanges: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/token') state.exchanges++;
    if (!request.url?.startsWith('/interaction/')) return void (await callback(request, response));
    const { subject, amr, at, denies } = state.proof;
    const result = denies
      ? { error: 'access_denied' }
      : { login: { accountId: subject, ...(amr && { amr: [...amr] }), ...(at && { ts: at }) } };
    await provider.interactionFinished(request, response, result);
  };
  server.on('request', (request, response) => void answer(request, response));
  return Object.assign(state, {
    issuer,
    place,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}
