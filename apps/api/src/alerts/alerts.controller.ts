import { Body, Controller, Get, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { alertNotFound, Ending, PublicAlerts, surrogateHeaders } from '#dispatch';
import { alertEnded } from '#engagement';
import { ForOfficers, Public } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { slug, uuid } from '../schemas/common.ts';
import { alertAnswer, endBody, viewOf } from './alerts.schemas.ts';

@ApiTags('alerts')
@Controller('v1/alerts')
export class AlertsController {
  constructor(
    private readonly publicAlerts: PublicAlerts,
    private readonly ending: Ending,
  ) {}

  @Get(':slug')
  @ApiOperation({ summary: 'A released alert as anybody may see it; 410 once nothing of it is kept.' })
  @Public()
  @Header('cache-control', 'public, max-age=30, must-revalidate')
  @ApiResponse({ status: 200, description: 'The alert, or its ending.', standardSchema: alertAnswer })
  async read(
    @Param('slug', { schema: slug }) name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof alertAnswer>> {
    const alert = await this.publicAlerts.bySlug(name);
    if (!alert) throw alertNotFound();
    if (alert.erased) throw alertEnded();
    void reply.headers(surrogateHeaders(name));
    return viewOf(alert);
  }

  @Post(':id/end')
  @ApiOperation({ summary: 'Ends a live alert at once and closes its cases: one officer suffices.' })
  @ForOfficers()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Ended; everyone who was asked is being told.' })
  end(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: endBody }) body: z.output<typeof endBody>,
  ): Promise<void> {
    return this.ending.end(officer, id, body);
  }
}
