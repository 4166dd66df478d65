import { Module } from '@nestjs/common';
import { AudienceModule, Devices } from '#audience';
import { DEVICE_AUTHENTICATOR, type DeviceAuthenticator } from '../callers/device-authenticator.ts';
import { DevicesController } from './devices.controller.ts';

const authenticator = {
  provide: DEVICE_AUTHENTICATOR,
  inject: [Devices],
  useFactory:
    (devices: Devices): DeviceAuthenticator =>
    (secret) =>
      devices.authenticate(secret),
};

@Module({ imports: [AudienceModule], controllers: [DevicesController], providers: [authenticator] })
export class DevicesApi {}
