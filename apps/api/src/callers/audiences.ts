import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiCookieAuth, ApiHeader } from '@nestjs/swagger';
import { READ_REASONS } from '#audit';
import { AUDIENCES } from '#platform';

export { Public } from '#platform';

/** Who may call a route. One that is open to several takes the first whose credential comes with the request. */
export type Audience = 'public' | 'officers' | 'devices' | 'agency_keys';

/** Names of the security schemes in the OpenAPI document. */
export const SCHEMES = { officers: 'session', devices: 'device', agency_keys: 'agencyKey' } as const;

/** Asked of nobody: a read without it is listed for review. */
const readReason = ApiHeader({
  name: 'Read-Reason',
  required: false,
  description: 'Why you read a case that you neither wrote, submitted, verified nor decide.',
  schema: { type: 'string', enum: [...READ_REASONS] },
});

const scheme = {
  officers: applyDecorators(ApiCookieAuth(SCHEMES.officers), readReason),
  devices: ApiBearerAuth(SCHEMES.devices),
  agency_keys: ApiBearerAuth(SCHEMES.agency_keys),
};

/** Signed-in officers: which of them is for `authorize()` in the service. */
export const ForOfficers = () => For('officers');

/** Metadata of {@link BeforeSecondFactor}. */
export const BEFORE_SECOND_FACTOR = Symbol('BEFORE_SECOND_FACTOR');

/** Open to officers who have yet to set up the second factor that this deployment demands. */
export const BeforeSecondFactor = () => SetMetadata(BEFORE_SECOND_FACTOR, true);

/** Installations of the app. */
export const ForDevices = () => For('devices');

/** Metadata of {@link ForUnprovenDevices}. */
export const UNPROVEN = Symbol('UNPROVEN');

/**
 * Installations of the app, on a route that they call all day long: the guard demands a device's secret, and the statement that
 * does the work proves it. The handler refuses with {@link deviceInvalid} when it proves nobody.
 */
export const ForUnprovenDevices = () => applyDecorators(ForDevices(), SetMetadata(UNPROVEN, true));

/** Other police systems. */
export const ForAgencyKeys = () => For('agency_keys');

/** Several of them. */
export function For(...audiences: Exclude<Audience, 'public'>[]) {
  return applyDecorators(SetMetadata(AUDIENCES, audiences), ...audiences.map((audience) => scheme[audience]));
}
