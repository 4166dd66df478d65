import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Funnels } from '#outcomes';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { funnelAnswer, viewOf } from './outcomes.schemas.ts';

/** What an alert did. */
@ApiTags('outcomes')
@Controller('v1')
@ForOfficers()
export class OutcomesController {
  constructor(private readonly funnels: Funnels) {}

  @Get('cases/:id/funnel')
  @ApiOperation({ summary: 'A case’s funnel: counts with their denominators, and times.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'The funnel of every alert of the case.', standardSchema: funnelAnswer })
  async funnel(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
  ): Promise<z.input<typeof funnelAnswer>> {
    return viewOf(await this.funnels.ofCase(officer, caseId));
  }
}
