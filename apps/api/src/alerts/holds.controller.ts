import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Holds, PhotoDown } from '#dispatch';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { holdBody, photoDownBody } from './changes.schemas.ts';

/** What reaches fewer people: one officer, at once, and another looks at it afterwards. */
@ApiTags('alerts')
@Controller('v1/alerts/:id')
@ForOfficers()
export class HoldsController {
  constructor(
    private readonly holds: Holds,
    private readonly photos: PhotoDown,
  ) {}

  @Post('hold')
  @ApiOperation({ summary: 'Sends nothing more until two officers resume it. The page shows nothing of it.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Held, or held already; sending stops within two seconds.' })
  hold(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: holdBody }) body: z.output<typeof holdBody>,
  ): Promise<void> {
    return this.holds.hold(officer, id, body.reason);
  }

  @Post('stop')
  @ApiOperation({ summary: 'Asks nobody more, for good; the alert stays on its page.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Stopped, or stopped already.' })
  stop(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.holds.stop(officer, id);
  }

  @Post('ladder/end')
  @ApiOperation({ summary: 'Asks no further ring of the ladder; what is asked goes on.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Ended, or ended already.' })
  endLadder(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.holds.endLadder(officer, id);
  }

  @Post('photo-down')
  @ApiOperation({ summary: 'Takes the public photo down.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Down; whoever holds a copy of it shows it for 30 s at most.' })
  photoDown(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: photoDownBody }) body: z.output<typeof photoDownBody>,
  ): Promise<void> {
    return this.photos.take(officer, id, body.wrong);
  }
}
