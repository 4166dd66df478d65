import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { LandAsks } from '#dispatch';
import { ENV, type Env } from '#platform';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { agreeBody, asksAnswer, refuseBody, viewOf } from './asks.schemas.ts';

/** Alerts of other agencies that wait for this one's yes: the public alert, never the case. */
@ApiTags('asks')
@Controller('v1/asks')
@ForOfficers()
export class AsksController {
  constructor(
    private readonly asks: LandAsks,
    @Inject(ENV) private readonly env: Pick<Env, 'PUBLIC_URL'>,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What the verifier’s agency and those below it are asked now, newest first; at most 100.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({
    status: 200,
    description: 'The open asks, and those refused while their alert is live.',
    standardSchema: asksAnswer,
  })
  async list(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof asksAnswer>> {
    const asks = await this.asks.list(officer);
    return { asks: asks.map((ask) => viewOf(ask, this.env.PUBLIC_URL)) };
  }

  @Post(':id/agree')
  @ApiOperation({ summary: 'Lets the alert reach the phones on the agency’s land.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Agreed; the phones there are being asked.' })
  agree(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: agreeBody }) body: z.output<typeof agreeBody>,
  ): Promise<void> {
    return this.asks.agree(officer, id, body.version);
  }

  @Post(':id/refuse')
  @ApiOperation({ summary: 'Keeps the alert off the agency’s land: one officer suffices.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Refused; another officer reviews it.' })
  refuse(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: refuseBody }) body: z.output<typeof refuseBody>,
  ): Promise<void> {
    return this.asks.refuse(officer, id, body.reason);
  }
}
