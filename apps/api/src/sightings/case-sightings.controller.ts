import { Body, Controller, Get, Header, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Sightings } from '#sightings';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer, OptionalIdempotencyKey } from '../callers/parameters.ts';
import { JPEG } from '../schemas/binary.ts';
import { uuid } from '../schemas/common.ts';
import {
  phoneSightingBody,
  reportOf,
  sightingAnswer,
  sightingsAnswer,
  sightingsQuery,
  triageBody,
  viewOf,
} from './sightings.schemas.ts';

/** Tips as the case's officers take, read and judge them. */
@ApiTags('sightings')
@Controller('v1')
@ForOfficers()
export class CaseSightingsController {
  constructor(private readonly sightings: Sightings) {}

  @Post('cases/:id/sightings')
  @ApiOperation({ summary: 'Takes down a tip that came by phone.' })
  @ApiResponse({ status: 201, description: 'Taken.', standardSchema: sightingAnswer })
  async take(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @Body({ schema: phoneSightingBody }) body: z.output<typeof phoneSightingBody>,
    @OptionalIdempotencyKey() key: string | undefined,
  ): Promise<z.input<typeof sightingAnswer>> {
    const repeat = key === undefined ? undefined : { scope: `officer:${officer.id}`, key, request: body };
    const { id, receivedAt } = await this.sightings.take(officer, caseId, reportOf(body, undefined), repeat);
    return { id, receivedAt: receivedAt.toISOString() };
  }

  @Get('cases/:id/sightings')
  @ApiOperation({ summary: 'A case’s tips, newest first.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'A page of tips.', standardSchema: sightingsAnswer })
  async list(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @Query({ schema: sightingsQuery }) { before }: z.output<typeof sightingsQuery>,
  ): Promise<z.input<typeof sightingsAnswer>> {
    const { sightings, next } = await this.sightings.list(officer, caseId, before ?? null);
    return { sightings: sightings.map(viewOf), next };
  }

  @Get('cases/:id/sightings/:sightingId/photo')
  @ApiOperation({ summary: 'The photo of a tip.' })
  @ApiResponse({ status: 200, description: 'The photo.', content: JPEG })
  async photo(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) caseId: string,
    @Param('sightingId', { schema: uuid }) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const jpeg = await this.sightings.photo(officer, caseId, id);
    void reply.type('image/jpeg').header('cache-control', 'no-store');
    return jpeg;
  }

  @Post('sightings/:id/triage')
  @ApiOperation({ summary: 'An officer’s judgement of a tip.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Judged.' })
  async triage(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: triageBody }) body: z.output<typeof triageBody>,
  ): Promise<void> {
    await this.sightings.triage(officer, id, body);
  }
}
