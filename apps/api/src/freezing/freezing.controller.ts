import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { OfficerActor } from '#access';
import { Freezing } from '#dispatch';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';

/** Shuts out whoever may have been taken over: sessions die, and what they are sending is held. */
@ApiTags('freezing')
@Controller('v1')
@ForOfficers()
export class FreezingController {
  constructor(private readonly freezing: Freezing) {}

  @Post('officers/:id/freeze')
  @ApiOperation({
    summary: 'Shuts an officer out, and holds what they wrote, verified or changed while it is being sent.',
  })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Frozen.' })
  freezeOfficer(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.freezeOfficer(officer, id);
  }

  @Post('officers/:id/thaw')
  @ApiOperation({ summary: 'Lets an officer in again; what was held stays held.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Let in again.' })
  thawOfficer(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.thawOfficer(officer, id);
  }

  @Post('agencies/:id/freeze')
  @ApiOperation({ summary: 'Shuts an agency’s officers and keys out, and holds all that it is sending.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Frozen.' })
  freezeAgency(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.freezeAgency(officer, id);
  }

  @Post('agencies/:id/thaw')
  @ApiOperation({ summary: 'Lets an agency in again; what was held stays held.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Let in again.' })
  thawAgency(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.thawAgency(officer, id);
  }
}
