import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Conflicts } from '#cases';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { conflictBody } from './cases.schemas.ts';

/** Conflicts of interest: they bar from a case, and cannot be taken back. */
@ApiTags('cases')
@Controller('v1/cases/:id/conflicts')
@ForOfficers()
export class CaseConflictsController {
  constructor(private readonly conflicts: Conflicts) {}

  @Post()
  @ApiOperation({ summary: 'Declares one’s own conflict of interest or, as a verifier, names a colleague’s.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Declared: whom it bars can no longer do anything with the case.' })
  declare(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @Body({ schema: conflictBody }) { officerId = officer.id }: z.output<typeof conflictBody>,
  ): Promise<void> {
    return officerId === officer.id
      ? this.conflicts.declare(officer, caseId)
      : this.conflicts.name(officer, caseId, officerId);
  }
}
