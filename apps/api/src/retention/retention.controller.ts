import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Retention } from '#outcomes';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { retentionAnswer, viewOf } from './retention.schemas.ts';

/** What is kept, until when, and whether it goes. */
@ApiTags('retention')
@Controller('v1/retention')
@ForOfficers()
export class RetentionController {
  constructor(private readonly retention: Retention) {}

  @Get()
  @ApiOperation({ summary: 'What goes when, when it was last done, and what is overdue.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'The standing of the officer’s agency.', standardSchema: retentionAnswer })
  async read(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof retentionAnswer>> {
    return viewOf(await this.retention.read(officer));
  }
}
