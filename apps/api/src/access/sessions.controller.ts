import { Controller, Delete, Get, Header, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type OfficerActor, Sessions, SignIn } from '#access';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { sessionsAnswer } from './session.schemas.ts';

@ApiTags('session')
@Controller('v1/sessions')
@ForOfficers()
export class SessionsController {
  constructor(
    private readonly sessions: Sessions,
    private readonly signIn: SignIn,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The officer’s own live sessions, newest first.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Where the officer is signed in.', standardSchema: sessionsAnswer })
  async list(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof sessionsAnswer>> {
    const live = await this.sessions.list(officer.id);
    const sessions = live.map(({ createdAt, seenAt, expiresAt, ...rest }) => ({
      ...rest,
      current: rest.id === officer.sessionId,
      createdAt: createdAt.toISOString(),
      seenAt: seenAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    }));
    return { sessions };
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Ends one of one’s own sessions.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Ended at its next request.' })
  end(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.signIn.end(officer, id);
  }

  @Delete()
  @ApiOperation({ summary: 'Ends all of one’s own sessions but this one.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Ended at their next request.' })
  endOthers(@CurrentOfficer() officer: OfficerActor): Promise<void> {
    return this.signIn.endOthers(officer);
  }
}
