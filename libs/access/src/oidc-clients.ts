import { Inject, Injectable } from '@nestjs/common';
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  discovery,
  None,
} from 'openid-client';
import { Clock, ENV, type Env, Outbound } from '#platform';
import type { OidcProvider } from './oidc-provider.repository.ts';

/** Milliseconds for which a provider's metadata is believed; its keys are asked for again as soon as one is unknown. */
const METADATA_MS = 60 * 60 * 1000;

/** Seconds a provider may take to answer: an officer waits. */
const ANSWER_S = 10;

interface Known {
  readonly provider: OidcProvider;
  readonly until: number;
  readonly client: Promise<Configuration>;
}

/** We, as the providers know us: one client an agency, with the provider's metadata and keys. */
@Injectable()
export class OidcClients {
  /** By agency, so that it holds no more than there are agencies. */
  private readonly known = new Map<string, Known>();
  private readonly secrets: Env['OIDC_CLIENT_SECRETS'];

  constructor(
    private readonly outbound: Outbound,
    private readonly clock: Clock,
    @Inject(ENV) env: Env,
  ) {
    this.secrets = env.OIDC_CLIENT_SECRETS;
  }

  /** @throws whatever the way to the provider throws, or an error of openid-client for metadata that do not name the issuer. */
  async of(provider: OidcProvider): Promise<Configuration> {
    const known = this.known.get(provider.agencyId);
    const now = this.clock.now().getTime();
    if (known && known.until > now && isSame(known.provider, provider)) return known.client;
    const client = this.discover(provider);
    this.known.set(provider.agencyId, { provider, until: now + METADATA_MS, client });
    client.catch(() => this.known.delete(provider.agencyId));
    return client;
  }

  private discover({ issuer, clientId }: OidcProvider): Promise<Configuration> {
    return discovery(new URL(issuer), clientId, { redirect_uris: [] }, this.authentication(issuer), {
      timeout: ANSWER_S,
      [customFetch]: (url, { body, ...init }) =>
        this.outbound.fetch(url, { ...init, ...(body instanceof URLSearchParams && { body: body.toString() }) }),
    });
  }

  /** A secret goes the way that OAuth 2.1 §2.4.1 has every server take, or by the body where a provider takes only that. */
  private authentication(issuer: string): ClientAuth {
    const secret = this.secrets[issuer];
    if (secret === undefined) return None();
    const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
    return (server, ...rest) => {
      const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
      return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
    };
  }
}

function isSame(a: OidcProvider, b: OidcProvider): boolean {
  return a.issuer === b.issuer && a.clientId === b.clientId;
}
