import { Module } from '@nestjs/common';
import { ArrivalRepository } from './arrival.repository.ts';
import { Arrivals } from './arrival.service.ts';
import { AudienceRepository } from './audience.repository.ts';
import { Audience } from './audience.service.ts';
import { DeviceImport } from './device-import.ts';
import { DeviceRepository } from './device.repository.ts';
import { Devices } from './device.service.ts';
import { PositionRepository } from './position.repository.ts';
import { Positions } from './position.service.ts';
import { RegistrationLimiter } from './registration-limiter.ts';

@Module({
  providers: [
    ArrivalRepository,
    Arrivals,
    Audience,
    AudienceRepository,
    DeviceImport,
    DeviceRepository,
    Devices,
    PositionRepository,
    Positions,
    RegistrationLimiter,
  ],
  exports: [Arrivals, Audience, DeviceImport, Devices, Positions, RegistrationLimiter],
})
export class AudienceModule {}
