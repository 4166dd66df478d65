import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  type IDToken,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
} from 'openid-client';
import { DataSource } from 'typeorm';
import { Clock, ENV, type Env, Keys, OutboundError, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { OfficerActor } from './actor.ts';
import { OidcClients } from './oidc-clients.ts';
import { saysSecondFactor } from './oidc-assurance.ts';
import { OIDC_FLOW_S, type OidcFlow, openFlow, sealFlow } from './oidc-flow.ts';
import { type OidcProvider, OidcProviderRepository } from './oidc-provider.repository.ts';

/** Seconds by which a provider's clock may be off. */
const SKEW_S = 60;

/** Whom the provider recognised, and whether it says that a second factor was shown. */
export interface Recognised {
  readonly officerId: string;
  readonly secondFactor: boolean;
  readonly flow: OidcFlow<'asked'>;
}

/**
 * The way to an agency's identity provider and back: OpenID Connect's authorization code flow with PKCE, state and nonce
 * (RFC 9700), a redirect address per agency against mix-ups, and `iss` checked where the provider sends it (RFC 9207). Each
 * time the officer proves anew who they are there (`max_age=0`): a provider's own long session opens none of ours.
 */
@Injectable()
export class Oidc {
  private readonly logger = new Logger(Oidc.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly providers: OidcProviderRepository,
    private readonly clients: OidcClients,
    private readonly keys: Keys,
    private readonly clock: Clock,
    @Inject(ENV) private readonly env: Env,
  ) {}

  /**
   * Begins.
   * @param stepUp whose session to step up; null to open one.
   * @returns the provider's address for the browser, and what the browser holds for us meanwhile.
   * @throws Refusal `identity_provider_not_found` or `identity_provider_unavailable`.
   */
  async begin(agencyId: string, stepUp: OfficerActor | null): Promise<{ address: string; held: string }> {
    const provider = await this.providerOf(agencyId);
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
    const client = await this.clients.of(provider).catch((error: unknown) => this.unavailable(provider, error));
    const address = buildAuthorizationUrl(client, {
      ...{ redirect_uri: this.redirectUri(agencyId), scope: 'openid', state, nonce, max_age: '0', prompt: 'login' },
      ...{ code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    });
    const flow = {
      ...{ ...this.lifetime(), agencyId, state, nonce, verifier },
      stepUp: stepUp && { officerId: stepUp.id, sessionId: stepUp.sessionId },
    };
    return { address: address.href, held: sealFlow(this.keys, 'asked', flow) };
  }

  /**
   * Takes what the provider sent the browser back with. Whatever is wrong, with it or with the officer, the answer is one.
   * @param search of the address that the browser came back to.
   * @param held what the browser was given by {@link begin}.
   * @throws Refusal `sign_in_failed`, `identity_provider_not_found` or `identity_provider_unavailable`.
   */
  async finish(agencyId: string, search: string, held: string | undefined): Promise<Recognised> {
    const flow = openFlow(this.keys, 'asked', held, this.clock.now());
    if (flow?.agencyId !== agencyId) throw oidcFailed();
    const provider = await this.providerOf(agencyId);
    const claims = await this.exchange(provider, flow, search);
    const officerId = await this.providers.officerOf(this.dataSource.manager, provider, claims.sub);
    const isFresh = (claims.auth_time ?? 0) >= flow.startedAt / 1000 - SKEW_S;
    if (officerId === null || !isFresh)
      throw this.failed(provider, officerId === null ? 'unknown officer' : 'not fresh');
    if (flow.stepUp && flow.stepUp.officerId !== officerId) throw this.failed(provider, 'another officer');
    return { officerId, secondFactor: saysSecondFactor({ amr: claims['amr'], acr: claims['acr'] }), flow };
  }

  /** What the browser holds while a code of ours is owed. */
  owe({ officerId, flow: { agencyId, stepUp } }: Recognised): string {
    return sealFlow(this.keys, 'proved', { ...this.lifetime(), agencyId, stepUp, officerId });
  }

  /** Who owes a code. @throws Refusal `sign_in_failed` for what is not ours or over. */
  debtor(held: string | undefined): OidcFlow<'proved'> {
    const flow = openFlow(this.keys, 'proved', held, this.clock.now());
    if (!flow) throw oidcFailed();
    return flow;
  }

  private async providerOf(agencyId: string): Promise<OidcProvider> {
    const provider = await this.providers.find(this.dataSource.manager, agencyId);
    if (provider) return provider;
    throw refuse('identity_provider_not_found', 'The agency has no identity provider. Sign in with your password.');
  }

  private async exchange(provider: OidcProvider, flow: OidcFlow<'asked'>, search: string): Promise<IDToken> {
    const address = new URL(this.redirectUri(provider.agencyId));
    address.search = search;
    try {
      const tokens = await authorizationCodeGrant(await this.clients.of(provider), address, {
        ...{ expectedState: flow.state, expectedNonce: flow.nonce, pkceCodeVerifier: flow.verifier },
        // Demands `auth_time`; whether it is of this flow is looked at where the officer is.
        maxAge: OIDC_FLOW_S + SKEW_S,
      });
      return tokens.claims() ?? Promise.reject(new Error('no claims'));
    } catch (error) {
      if (isTheirNo(error)) throw this.failed(provider, wordOf(error));
      return this.unavailable(provider, error);
    }
  }

  private redirectUri(agencyId: string): string {
    return `${this.env.API_URL}/v1/oidc/${agencyId}/callback`;
  }

  private lifetime(): Pick<OidcFlow<'proved'>, 'startedAt' | 'expiresAt'> {
    const startedAt = this.clock.now().getTime();
    return { startedAt, expiresAt: startedAt + OIDC_FLOW_S * 1000 };
  }

  /** The reason is for whoever runs the system; it names nobody. */
  private failed({ agencyId }: OidcProvider, cause: string): Refusal {
    this.logger.warn({ agencyId, cause }, 'an identity provider signed nobody in');
    return oidcFailed();
  }

  private unavailable({ agencyId }: OidcProvider, error: unknown): never {
    this.logger.error({ agencyId, err: error }, 'an identity provider cannot be used');
    const detail =
      'Your agency’s identity provider does not answer as it should. Try again, or tell your administrator.';
    throw refuse('identity_provider_unavailable', detail);
  }
}

/** An answer that was given and does not hold, unlike one that was not given. */
function isTheirNo(error: unknown): boolean {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) return true;
  const cause = error instanceof ClientError ? error.cause : undefined;
  return error instanceof ClientError && !(cause instanceof OutboundError) && error.code !== 'OAUTH_TIMEOUT';
}

function wordOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

function oidcFailed(): Refusal {
  const detail = 'This identity provider signs nobody in here by that answer. Begin again, or ask your administrator.';
  return refuse('sign_in_failed', detail);
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
