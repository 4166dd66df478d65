import { Body, Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Changes } from '#dispatch';
import { Blur } from '#platform';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { previewAnswer } from '../cases/cases.schemas.ts';
import { uuid } from '../schemas/common.ts';
import {
  approveBody,
  approvedAnswer,
  changeBody,
  changeReasonBody,
  changesAnswer,
  proposedAnswer,
  viewOfChange,
} from './changes.schemas.ts';

/** What would reach more people, or change what they are told: one officer proposes, another approves. */
@ApiTags('alerts')
@Controller('v1/alerts/:id/changes')
@ForOfficers()
export class ChangesController {
  constructor(
    private readonly changes: Changes,
    private readonly blur: Blur,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Proposes a change of a live alert.' })
  @ApiResponse({ status: 201, description: 'Proposed; another officer decides.', standardSchema: proposedAnswer })
  async propose(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: changeBody }) body: z.output<typeof changeBody>,
  ): Promise<z.input<typeof proposedAnswer>> {
    return { id: await this.changes.propose(officer, id, body) };
  }

  @Get()
  @ApiOperation({ summary: 'The alert’s changes, newest first.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'All of them.', standardSchema: changesAnswer })
  async list(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
  ): Promise<z.input<typeof changesAnswer>> {
    return { changes: (await this.changes.list(officer, id)).map(viewOfChange) };
  }

  @Get(':changeId/preview')
  @ApiOperation({
    summary:
      'What approving a new area, a further ring or another text would do, over all who would then be in the area.',
  })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Rounded, limited and audited.', standardSchema: previewAnswer })
  look(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Param('changeId', { schema: uuid }) changeId: string,
  ) {
    return this.changes.look(officer, id, changeId);
  }

  @Post(':changeId/withdraw')
  @ApiOperation({ summary: 'Takes back what one proposed oneself.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Withdrawn.' })
  withdraw(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Param('changeId', { schema: uuid }) changeId: string,
  ): Promise<void> {
    return this.changes.withdraw(officer, id, changeId);
  }

  @Post(':changeId/reject')
  @ApiOperation({ summary: 'Turns a proposal down.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Rejected.' })
  reject(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Param('changeId', { schema: uuid }) changeId: string,
    @Body({ schema: changeReasonBody }) body: z.output<typeof changeReasonBody>,
  ): Promise<void> {
    return this.changes.reject(officer, id, changeId, body.reason);
  }

  @Post(':changeId/approve')
  @ApiOperation({
    summary: 'Approves exactly the version that was read, and does it. Never by an officer who wrote any of it.',
  })
  @HttpCode(200)
  @ApiResponse({ status: 200, description: 'Done.', standardSchema: approvedAnswer })
  async approve(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Param('changeId', { schema: uuid }) changeId: string,
    @Body({ schema: approveBody }) body: z.output<typeof approveBody>,
  ): Promise<z.input<typeof approvedAnswer>> {
    const { targeted } = await this.changes.approve(officer, id, changeId, body.version);
    return { targeted: targeted === null ? null : this.blur.count(`${changeId}|targeted`, targeted) };
  }
}
