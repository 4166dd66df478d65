import { Body, Controller, Param, Post, Req, Res, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor, type UploadedMultipartFile } from '@nestjs/platform-fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OpenAlerts } from '#engagement';
import { Clock, isRefusal } from '#platform';
import { Sightings, TipLimiter } from '#sightings';
import { Pages } from './pages.service.tsx';
import { languageOf, sendPage } from './replies.ts';
import { type ReadForm, readForm, sentIn, writtenIn } from './sighting-form.ts';
import type { FormFault } from './texts.ts';

/** The refusals that the form itself can tell about. */
const FAULTS: Readonly<Record<string, { readonly fault: FormFault; readonly status: number }>> = {
  photo_not_an_image: { fault: 'photo_not_an_image', status: 422 },
  photo_too_large: { fault: 'photo_too_large', status: 422 },
  photos_busy: { fault: 'photos_busy', status: 503 },
  too_many_sightings: { fault: 'too_many_sightings', status: 429 },
  idempotency_key_reused: { fault: 'form_unreadable', status: 422 },
};

/** The page's form: works without scripts, and comes back with what was written when something is wrong. */
@Controller('a/:slug/sightings')
export class SightingController {
  constructor(
    private readonly alerts: OpenAlerts,
    private readonly sightings: Sightings,
    private readonly limiter: TipLimiter,
    private readonly pages: Pages,
    private readonly clock: Clock,
  ) {}

  @Post()
  @UseInterceptors(FileInterceptor('photo'))
  async report(
    @Param('slug') slug: string,
    @Body() fields: unknown,
    @UploadedFile() file: UploadedMultipartFile | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const language = languageOf(request);
    const sendBack = async (fault: FormFault, status: number) => {
      const written = writtenIn(fields);
      sendPage(request, reply, await this.pages.form(slug, language, status, { fault, written }), 'none');
    };
    const read = readForm(fields, file?.buffer ?? null, this.clock.now());
    if (typeof read === 'string') return sendBack(read, 422);
    try {
      await this.take(slug, read, sentIn(fields), request.ip);
    } catch (error) {
      const known = isRefusal(error) ? FAULTS[error.code] : undefined;
      if (!known || !isRefusal(error)) throw error;
      const { retryAfter } = error.members;
      if (typeof retryAfter === 'number') void reply.header('retry-after', `${retryAfter}`);
      return sendBack(known.fault, known.status);
    }
    // Reloading the page of thanks sends nothing again.
    void reply.header('cache-control', 'no-store').redirect(`/a/${slug}/thanks?lang=${language}`, 303);
  }

  /** What was sent is compared as it was sent: 'ten minutes ago' is another time at every sending. */
  private async take(
    slug: string,
    { report, key }: ReadForm,
    sent: Record<string, string>,
    address: string,
  ): Promise<void> {
    const { caseIds } = await this.alerts.demand(slug);
    await this.limiter.consume({ address });
    const repeat = key === null ? undefined : { scope: `sighting:${slug}`, key, request: sent };
    await this.sightings.report(caseIds[0], 'page', report, repeat);
  }
}
