import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pages } from './pages.service.tsx';
import { notice } from './rendered.tsx';
import { languageOf, sendJpeg, sendPage } from './replies.ts';

/** What belongs to an alert's page; the page itself is {@link PageAnswers}'. */
@Controller('a/:slug')
export class PageController {
  constructor(private readonly pages: Pages) {}

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
}
