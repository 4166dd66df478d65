import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Views } from '#engagement';
import { Pages } from './pages.service.tsx';
import { notice } from './rendered.tsx';
import { languageOf, queryOf, sendJpeg, sendPage } from './replies.ts';

/** What a stranger sees who opens an alert's link. */
@Controller('a/:slug')
export class PageController {
  constructor(
    private readonly pages: Pages,
    private readonly views: Views,
  ) {}

  /** A forward link's page is kept by its visitor only: a shared cache would hide the next visitor from the count. */
  @Get()
  async page(@Param('slug') slug: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const page = await this.pages.page(slug, languageOf(request));
    const token = queryOf(request, 'f');
    if (page.status === 404) return sendPage(request, reply, page, 'none');
    if (page.status === 200 && token !== undefined) await this.count(slug, token, request);
    sendPage(request, reply, page, token === undefined ? 'public' : 'private');
  }

  @Get('photo.jpg')
  async photo(@Param('slug') slug: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const photo = await this.pages.photo(slug);
    if (photo === 'gone') return sendPage(request, reply, await this.pages.page(slug, languageOf(request)), 'none');
    if (photo) return sendJpeg(request, reply, photo.jpeg, `"${photo.sha256.toString('base64url').slice(0, 22)}"`);
    sendPage(request, reply, notice('notFound', languageOf(request)), 'none');
  }

  @Get('thanks')
  async thanks(@Param('slug') slug: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendPage(request, reply, await this.pages.thanks(slug, languageOf(request)), 'none');
  }

  private async count(slug: string, token: string, request: FastifyRequest): Promise<void> {
    const alert = await this.pages.alert(slug);
    const { 'user-agent': userAgent, 'sec-purpose': sec, purpose, 'x-moz': moz } = request.headers;
    const ahead = [sec, purpose, moz].filter(Boolean).join(' ');
    if (!alert) return;
    this.views.count({
      alertId: alert.id,
      token,
      method: request.method,
      address: request.ip,
      userAgent,
      purpose: ahead === '' ? undefined : ahead,
    });
  }
}
