export type { AudienceRefusal } from './audience.errors.ts';
export { Arrivals } from './arrival.service.ts';
export { AudienceModule } from './audience.module.ts';
export type { Elsewhere, Lands, PartOfArea } from './audience-ranges.ts';
export { audienceStatement, type AudienceQuery, FRESH_DAYS, NEAR_BANDS } from './audience-statement.ts';
export { Audience, type AudiencePreview } from './audience.service.ts';
export { DeviceImport, type ImportedDevice } from './device-import.ts';
export { Devices, UNHEARD_DAYS } from './device.service.ts';
export {
  DEVICE_LANGUAGES,
  type DeviceLanguage,
  type Preferences,
  type PushTarget,
  type Registration,
} from './device.types.ts';
export { type OrderReport, PositionOrder } from './position-order.ts';
export { Positions } from './position.service.ts';
export { RegistrationLimiter } from './registration-limiter.ts';
