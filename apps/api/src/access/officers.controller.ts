import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Administered, type IssuedInvitation, type OfficerActor, OfficerAdministration } from '#access';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { administeredAnswer, invitationAnswer, officerBody, officersAnswer, rolesBody } from './officers.schemas.ts';

/** For administrators, of their own agency. */
@ApiTags('officers')
@Controller('v1/officers')
@ForOfficers()
export class OfficersController {
  constructor(private readonly administration: OfficerAdministration) {}

  @Get()
  @ApiOperation({ summary: 'The agency’s officers.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'By name.', standardSchema: officersAnswer })
  async list(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof officersAnswer>> {
    const listed = await this.administration.list(officer);
    const officers = listed.map(({ createdAt, frozenAt, disabledAt, proposedRoles, ...rest }) => ({
      ...rest,
      proposedRoles: proposedRoles && [...proposedRoles],
      createdAt: createdAt.toISOString(),
      frozenAt: frozenAt?.toISOString() ?? null,
      disabledAt: disabledAt?.toISOString() ?? null,
    }));
    return { officers };
  }

  @Post()
  @ApiOperation({
    summary: 'Makes an officer, who sets their own password; verifiers and administrators take a second person.',
  })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 201, description: 'Invited.', standardSchema: invitationAnswer })
  async invite(
    @CurrentOfficer() officer: OfficerActor,
    @Body({ schema: officerBody }) body: z.output<typeof officerBody>,
  ): Promise<z.input<typeof invitationAnswer>> {
    return invitation(await this.administration.invite(officer, body));
  }

  @Put(':id/roles')
  @ApiOperation({
    summary: 'Changes roles: what is taken goes at once, verifier and administrator take a second person.',
  })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Changed or proposed.', standardSchema: administeredAnswer })
  setRoles(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: rolesBody }) { roles }: z.output<typeof rolesBody>,
  ): Promise<z.input<typeof administeredAnswer>> {
    return this.administration.setRoles(officer, id, roles);
  }

  @Post(':id/invitation')
  @ApiOperation({
    summary: 'Invites again, e.g. for a forgotten password; roles that take two people rest until they are confirmed.',
  })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 201, description: 'Invited.', standardSchema: invitationAnswer })
  async inviteAgain(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
  ): Promise<z.input<typeof invitationAnswer>> {
    return invitation(await this.administration.inviteAgain(officer, id));
  }

  @Delete(':id/second-factor')
  @ApiOperation({ summary: 'Forgets a lost second factor; roles that take two people rest until they are confirmed.' })
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Forgotten; sessions ended.', standardSchema: administeredAnswer })
  resetSecondFactor(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
  ): Promise<z.input<typeof administeredAnswer>> {
    return this.administration.resetSecondFactor(officer, id);
  }
}

function invitation({ expiresAt, ...rest }: Administered & IssuedInvitation) {
  return { ...rest, expiresAt: expiresAt.toISOString() };
}
