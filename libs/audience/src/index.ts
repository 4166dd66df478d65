export type { AudienceRefusal } from './audience.errors.ts';
export { AudienceModule } from './audience.module.ts';
export { audienceStatement, type AudienceQuery, NEAR_BANDS } from './audience.repository.ts';
export { Audience, type AudiencePreview } from './audience.service.ts';
export { DeviceImport, type ImportedDevice } from './device-import.ts';
export { Devices } from './device.service.ts';
export {
  DEVICE_LANGUAGES,
  type DeviceLanguage,
  type Preferences,
  type PushTarget,
  type Registration,
} from './device.types.ts';
export { RegistrationLimiter } from './registration-limiter.ts';
