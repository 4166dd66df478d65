import { Body, Controller, Header, Param, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor, type UploadedMultipartFile } from '@nestjs/platform-fastify/multipart';
import { ApiConsumes, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { RecipientReferences } from '#dispatch';
import { OpenAlerts } from '#engagement';
import { Sightings, TipLimiter, type TipSource } from '#sightings';
import { Public } from '../callers/audiences.ts';
import { ClientAddress } from '../callers/parameters.ts';
import { DocumentIdempotencyKey, OptionalIdempotencyKey } from '../callers/optional-idempotency-key.ts';
import { reportOf, sightingAnswer, sightingForm } from './sightings.schemas.ts';

const slug = z.string().regex(/^[\w-]{1,64}$/);

/** Tips from the public. */
@ApiTags('sightings')
@Controller('v1/alerts/:slug/sightings')
@Public()
export class SightingsController {
  constructor(
    private readonly alerts: OpenAlerts,
    private readonly limiter: TipLimiter,
    private readonly sightings: Sightings,
    private readonly references: RecipientReferences,
  ) {}

  /** What somebody saw, as JSON or, with a photo, as a form: JSON in `sighting` and a file in `photo`. */
  @Post()
  @DocumentIdempotencyKey()
  @UseInterceptors(FileInterceptor('photo'))
  @Header('cache-control', 'no-store')
  @ApiConsumes('application/json', 'multipart/form-data')
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
    const { caseIds } = await this.alerts.demand(slug);
    await this.limiter.consume(this.sourceOf(body.ref, address));
    const repeat = key === undefined ? undefined : { scope: `sighting:${slug}`, key, request: body };
    const { id, receivedAt } = await this.sightings.report(caseIds[0], 'app', reportOf(body, photo?.buffer), repeat);
    return { id, receivedAt: receivedAt.toISOString() };
  }

  /** Who was asked is counted alone; a reference that is not ours counts for nothing. */
  private sourceOf(ref: string | null | undefined, address: string): TipSource {
    const recipient = ref ? this.references.decode(ref) : null;
    return recipient ? { recipient: `${recipient.batchId}/${recipient.index}` } : { address };
  }
}
