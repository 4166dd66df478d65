import { Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Grants, type OfficerActor } from '#access';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { grantsAnswer } from './officers.schemas.ts';

/** Roles that wait for a second person: a verifier, or another administrator, of the agency or one above. */
@ApiTags('officers')
@Controller('v1/grants')
@ForOfficers()
export class GrantsController {
  constructor(private readonly grants: Grants) {}

  @Get()
  @ApiOperation({ summary: 'Roles that wait for a second person.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Oldest first.', standardSchema: grantsAnswer })
  async list(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof grantsAnswer>> {
    const open = await this.grants.list(officer);
    const grants = open.map(({ officer: grantee, roles, proposedAt, ...rest }) => ({
      ...rest,
      officer: { ...grantee, roles: [...grantee.roles] },
      roles: [...roles],
      proposedAt: proposedAt.toISOString(),
    }));
    return { grants };
  }

  @Post(':id/confirm')
  @ApiOperation({
    summary: 'Confirms roles: the officer is who they are said to be, and has the only key to the account.',
  })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The roles hold from the next request on.' })
  confirm(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.grants.confirm(officer, id);
  }

  @Post(':id/refuse')
  @ApiOperation({ summary: 'Turns proposed roles down.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'The officer keeps what they hold.' })
  refuse(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.grants.refuse(officer, id);
  }
}
