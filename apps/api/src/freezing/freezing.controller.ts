import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
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

  /** Shuts an officer out, and holds what they wrote, verified or changed while it is being sent. */
  @Post('officers/:id/freeze')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Frozen.' })
  freezeOfficer(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.freezeOfficer(officer, id);
  }

  /** Lets an officer in again; what was held stays held. */
  @Post('officers/:id/thaw')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Let in again.' })
  thawOfficer(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.thawOfficer(officer, id);
  }

  /** Shuts an agency's officers and keys out, and holds all that it is sending. */
  @Post('agencies/:id/freeze')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Frozen.' })
  freezeAgency(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.freezeAgency(officer, id);
  }

  /** Lets an agency in again; what was held stays held. */
  @Post('agencies/:id/thaw')
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Let in again.' })
  thawAgency(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.freezing.thawAgency(officer, id);
  }
}
