import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { AuditTrail, type OfficerActor } from '#access';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { auditAnswer, auditQuery, viewOf } from './audit.schemas.ts';

/** Who did what, when, from where and why. */
@ApiTags('audit')
@Controller('v1/audit')
@ForOfficers()
export class AuditController {
  constructor(private readonly trail: AuditTrail) {}

  @Get()
  @ApiOperation({ summary: 'An agency’s entries, newest first. The read is an entry itself.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'A page of entries.', standardSchema: auditAnswer })
  async read(
    @CurrentOfficer() officer: OfficerActor,
    @Query({ schema: auditQuery }) query: z.output<typeof auditQuery>,
  ): Promise<z.input<typeof auditAnswer>> {
    const { entries, next } = await this.trail.read(officer, query);
    return { entries: entries.map(viewOf), next };
  }
}
