import { Body, Controller, Header, Param, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor, type UploadedMultipartFile } from '@nestjs/platform-fastify/multipart';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { OpenAlerts } from '#engagement';
import { Sightings, TipLimiter } from '#sightings';
import { DocumentBodies } from '../body-document.ts';
import { Public } from '../callers/audiences.ts';
import { ClientAddress, OptionalIdempotencyKey } from '../callers/parameters.ts';
import { slug } from '../schemas/common.ts';
import { reportOf, SIGHTING_BODIES, sightingAnswer, sightingForm } from './sightings.schemas.ts';

/** Tips from the public. */
@ApiTags('sightings')
@Controller('v1/alerts/:slug/sightings')
@Public()
export class SightingsController {
  constructor(
    private readonly alerts: OpenAlerts,
    private readonly limiter: TipLimiter,
    private readonly sightings: Sightings,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'What somebody saw, as JSON or, with a photo, as a form: JSON in `sighting` and a file in `photo`.',
  })
  @UseInterceptors(FileInterceptor('photo'))
  @Header('cache-control', 'no-store')
  @DocumentBodies(SIGHTING_BODIES)
  @ApiResponse({
    status: 201,
    description: 'Received; nothing is told about others’ tips.',
    standardSchema: sightingAnswer,
  })
  async report(
    @Param('slug', { schema: slug }) slug: string,
    @Body({ schema: sightingForm }) body: z.output<typeof sightingForm>,
    @UploadedFile() photo: UploadedMultipartFile | undefined,
    @OptionalIdempotencyKey() key: string | undefined,
    @ClientAddress() address: string,
  ): Promise<z.input<typeof sightingAnswer>> {
    const { alert, caseIds } = await this.alerts.demand(slug);
    const recipient = body.ref ? await this.alerts.recipientOf(alert, body.ref) : null;
    await this.limiter.consume({ recipient, address });
    const repeat = key === undefined ? undefined : { scope: `sighting:${slug}`, key, request: body };
    const { id, receivedAt } = await this.sightings.report(caseIds[0], 'app', reportOf(body, photo?.buffer), repeat);
    return { id, receivedAt: receivedAt.toISOString() };
  }
}
