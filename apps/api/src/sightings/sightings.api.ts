import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { EngagementModule } from '#engagement';
import { SightingsModule } from '#sightings';
import { CaseSightingsController } from './case-sightings.controller.ts';
import { SightingsController } from './sightings.controller.ts';

@Module({
  imports: [DispatchModule, EngagementModule, SightingsModule],
  controllers: [CaseSightingsController, SightingsController],
})
export class SightingsApi {}
