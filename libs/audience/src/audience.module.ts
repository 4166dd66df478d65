import { Module } from '@nestjs/common';
import { AudienceRepository } from './audience.repository.ts';
import { Audience } from './audience.service.ts';
import { DeviceImport } from './device-import.ts';
import { DeviceRepository } from './device.repository.ts';
import { Devices } from './device.service.ts';
import { RegistrationLimiter } from './registration-limiter.ts';

@Module({
  providers: [Audience, AudienceRepository, DeviceImport, DeviceRepository, Devices, RegistrationLimiter],
  exports: [Audience, DeviceImport, Devices, RegistrationLimiter],
})
export class AudienceModule {}
