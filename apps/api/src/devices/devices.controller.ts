import { Body, Controller, Delete, Header, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Devices, Positions, RegistrationLimiter } from '#audience';
import { ForDevices, ForUnprovenDevices, Public } from '../callers/audiences.ts';
import { deviceInvalid } from '../callers/caller.guard.ts';
import type { DeviceCaller, UnprovenDevice } from '../callers/caller.ts';
import { ClientAddress, CurrentDevice, CurrentUnprovenDevice } from '../callers/parameters.ts';
import { Direct } from '../direct-routes.ts';
import { positionBody, preferencesBody, registrationAnswer, registrationBody, tokenBody } from './devices.schemas.ts';

/** Installations of the app: anonymous, and able to leave. */
@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(
    private readonly devices: Devices,
    private readonly positions: Positions,
    private readonly limiter: RegistrationLimiter,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Registers an installation; one that registers its token again replaces itself.' })
  @Public()
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 201, description: 'Registered.', standardSchema: registrationAnswer })
  async register(
    @Body({ schema: registrationBody }) body: z.output<typeof registrationBody>,
    @ClientAddress() address: string,
  ): Promise<z.input<typeof registrationAnswer>> {
    await this.limiter.consume(address);
    return { secret: `g72d_${await this.devices.register(body)}` };
  }

  @Put('me/token')
  @ApiOperation({ summary: 'Gives the installation’s new token.' })
  @ForDevices()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Kept.' })
  renew(
    @CurrentDevice() device: DeviceCaller,
    @Body({ schema: tokenBody }) body: z.output<typeof tokenBody>,
  ): Promise<void> {
    return this.devices.renewToken(device.id, body.token, body.language);
  }

  @Put('me/position')
  @ApiOperation({ summary: 'Overwrites where the device is.' })
  @ForUnprovenDevices()
  @Direct()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Kept, to about 1 km, for 30 days.' })
  async move(
    @CurrentUnprovenDevice() device: UnprovenDevice,
    @Body({ schema: positionBody }) body: z.output<typeof positionBody>,
  ): Promise<void> {
    if (!(await this.positions.move(device.secretHash, body.place))) throw deviceInvalid();
  }

  @Put('me/preferences')
  @ApiOperation({ summary: 'Says what the person wants: opt-outs, a mute, quiet hours.' })
  @ForDevices()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Kept.' })
  prefer(
    @CurrentDevice() device: DeviceCaller,
    @Body({ schema: preferencesBody }) body: z.output<typeof preferencesBody>,
  ): Promise<void> {
    return this.devices.prefer(device.id, body);
  }

  @Delete('me')
  @ApiOperation({ summary: 'Leaves: the row, the token and the place are deleted at once.' })
  @ForDevices()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Forgotten.' })
  forget(@CurrentDevice() device: DeviceCaller): Promise<void> {
    return this.devices.forget(device.id);
  }
}
