import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiCookieAuth } from '@nestjs/swagger';
import { AUDIENCES } from '#platform';

export { Public } from '#platform';

/** Who may call a route. One that is open to several takes the first whose credential comes with the request. */
export type Audience = 'public' | 'officers' | 'devices' | 'agency_keys';

/** Names of the security schemes in the OpenAPI document. */
export const SCHEMES = { officers: 'session', devices: 'device', agency_keys: 'agencyKey' } as const;

const scheme = {
  officers: ApiCookieAuth(SCHEMES.officers),
  devices: ApiBearerAuth(SCHEMES.devices),
  agency_keys: ApiBearerAuth(SCHEMES.agency_keys),
};

/** Signed-in officers: which of them is for `authorize()` in the service. */
export const ForOfficers = () => For('officers');

/** Installations of the app. */
export const ForDevices = () => For('devices');

/** Other police systems. */
export const ForAgencyKeys = () => For('agency_keys');

/** Several of them. */
export function For(...audiences: Exclude<Audience, 'public'>[]) {
  return applyDecorators(SetMetadata(AUDIENCES, audiences), ...audiences.map((audience) => scheme[audience]));
}
