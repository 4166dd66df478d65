import { Agencies, AgencyKeys } from '#access';
import { act, withServices } from './context.ts';
import type { Io } from './io.ts';

export interface AgencyKeyOptions {
  readonly agency: string;
  /** Which system holds it. */
  readonly label: string;
}

export function createAgencyKey(io: Io, options: AgencyKeyOptions): Promise<{ agencyKey: string; bearer: string }> {
  return withServices(io, async (services) => {
    const { id: agencyId } = await services.get(Agencies, { strict: false }).agencyById(options.agency);
    return act(services, async ({ tx }) => {
      const { id, secret } = await services.get(AgencyKeys, { strict: false }).create(tx, agencyId, options.label);
      return {
        result: { agencyKey: id, bearer: `g72k_${secret}` },
        record: { agencyId, action: 'agency_key.create', thing: `agency_key:${id}` },
      };
    });
  });
}

export function revokeAgencyKey(io: Io, id: string): Promise<{ agencyKey: string }> {
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      const agencyId = await services.get(AgencyKeys, { strict: false }).revoke(tx, id);
      return {
        result: { agencyKey: id },
        record: { agencyId, action: 'agency_key.revoke', thing: `agency_key:${id}` },
      };
    }),
  );
}
