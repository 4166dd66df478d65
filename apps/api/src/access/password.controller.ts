import { Body, Controller, Header, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Client, Invitations, type OfficerActor, Passwords } from '#access';
import { BeforeSecondFactor, ForOfficers, Public } from '../callers/audiences.ts';
import { CurrentClient, CurrentOfficer } from '../callers/parameters.ts';
import { acceptAnswer, acceptBody, passwordBody } from './session.schemas.ts';

@ApiTags('session')
@Controller('v1')
export class PasswordController {
  constructor(
    private readonly passwords: Passwords,
    private readonly invitations: Invitations,
  ) {}

  @Put('password')
  @ApiOperation({ summary: 'Changes the officer’s own password; other sessions end.' })
  @ForOfficers()
  @BeforeSecondFactor()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Changed.' })
  change(
    @CurrentOfficer() officer: OfficerActor,
    @Body({ schema: passwordBody }) { present, next }: z.output<typeof passwordBody>,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.passwords.change(officer, present, next, client);
  }

  @Post('invitations/accept')
  @ApiOperation({ summary: 'Sets a password by an invitation, once; signing in comes after.' })
  @Public()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Set; the login to sign in with.', standardSchema: acceptAnswer })
  async accept(
    @Body({ schema: acceptBody }) { secret, password }: z.output<typeof acceptBody>,
  ): Promise<z.input<typeof acceptAnswer>> {
    return { login: await this.invitations.accept(secret, password) };
  }
}
