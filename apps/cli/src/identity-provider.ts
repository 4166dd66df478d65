import { OidcProviders, Officers } from '#access';
import { act, withServices } from './context.ts';
import type { Io } from './io.ts';

export interface IdentityProviderOptions {
  readonly agency: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly required?: true;
}

export function setIdentityProvider(io: Io, options: IdentityProviderOptions): Promise<{ agency: string }> {
  const { agency: agencyId, issuer, clientId, required = false } = options;
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      await services.get(OidcProviders, { strict: false }).set(tx, { agencyId, issuer, clientId, required });
      return {
        result: { agency: agencyId },
        record: {
          ...{ agencyId, action: 'identity_provider.set', thing: `agency:${agencyId}` },
          detail: { required: String(required) },
        },
      };
    }),
  );
}

export function removeIdentityProvider(io: Io, options: { readonly agency: string }): Promise<{ agency: string }> {
  const { agency: agencyId } = options;
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      await services.get(OidcProviders, { strict: false }).remove(tx, agencyId);
      return {
        result: { agency: agencyId },
        record: { agencyId, action: 'identity_provider.remove', thing: `agency:${agencyId}` },
      };
    }),
  );
}

export interface LinkOptions {
  readonly subject: string;
}

export function linkOfficer(io: Io, login: string, { subject }: LinkOptions): Promise<{ officer: string }> {
  return withServices(io, async (services) => {
    const officer = await services.get(Officers, { strict: false }).idByLogin(login);
    return act(services, async ({ tx }) => {
      const agencyId = await services.get(OidcProviders, { strict: false }).link(tx, officer, subject);
      return { result: { officer }, record: { agencyId, action: 'officer.link', thing: `officer:${officer}` } };
    });
  });
}

export function unlinkOfficer(io: Io, login: string): Promise<{ officer: string }> {
  return withServices(io, async (services) => {
    const officer = await services.get(Officers, { strict: false }).idByLogin(login);
    return act(services, async ({ tx }) => {
      const agencyId = await services.get(OidcProviders, { strict: false }).unlink(tx, officer);
      return { result: { officer }, record: { agencyId, action: 'officer.unlink', thing: `officer:${officer}` } };
    });
  });
}
