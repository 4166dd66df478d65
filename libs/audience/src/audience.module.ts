import { Module } from '@nestjs/common';
import { AudienceRepository } from './audience.repository.ts';
import { Audience } from './audience.service.ts';
import { DeviceRepository } from './device.repository.ts';
import { Devices } from './device.service.ts';

@Module({
  providers: [Audience, AudienceRepository, DeviceRepository, Devices],
  exports: [Audience, Devices],
})
export class AudienceModule {}
