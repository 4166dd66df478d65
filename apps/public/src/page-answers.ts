import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { Views } from '#engagement';
import { RequestLog } from '#platform';
import { FailuresFilter } from './failures.filter.ts';
import { Pages } from './pages.service.tsx';
import { languageOf, queryOf, sendShared, slugOf } from './replies.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import type { SharedPage } from './shared-page.ts';

/**
 * The page of an alert's link, where the herd goes that follows a push: a plain route of Fastify's, for to a page that is in
 * memory Nest's middleware and pipeline add as much again as sending it takes (36 µs of CPU against 17).
 */
@Injectable()
export class PageAnswers {
  constructor(
    private readonly pages: Pages,
    private readonly views: Views,
    private readonly failures: FailuresFilter,
    private readonly log: RequestLog,
  ) {}

  /** Answers now, where the page is in memory, or later. */
  answer(request: FastifyRequest, reply: FastifyReply): void {
    const slug = slugOf(request) ?? '';
    const language = languageOf(request);
    const ready = this.pages.ready(slug, language);
    if (ready) return this.send(request, reply, ready);
    this.pages
      .page(slug, language)
      .then((page) => this.send(request, reply, page))
      .catch((error: unknown) => this.fail(error, request, reply));
  }

  fail(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.headers(SECURITY_HEADERS);
    return this.failures.answer(error, request, reply);
  }

  finish(request: FastifyRequest, reply: FastifyReply): void {
    this.log.note(request, reply);
  }

  private send(request: FastifyRequest, reply: FastifyReply, page: SharedPage): void {
    const token = queryOf(request, 'f');
    if (page.status === 200 && page.alert && token !== undefined) this.count(page.alert.id, token, request);
    const caching = page.status === 404 ? 'none' : token === undefined ? 'public' : 'private';
    sendShared(request, reply, page, caching);
  }

  private count(alertId: string, token: string, request: FastifyRequest): void {
    const { 'user-agent': userAgent, 'sec-purpose': sec, purpose, 'x-moz': moz } = request.headers;
    const ahead = [sec, purpose, moz].filter(Boolean).join(' ');
    this.views.count({
      ...{ alertId, token, userAgent },
      method: request.method,
      address: request.ip,
      purpose: ahead === '' ? undefined : ahead,
    });
  }
}

/**
 * Puts the route into a context of its own, to be called before Nest is given the instance: so its hooks stand before those
 * that Nest adds, and the last one answers. @returns what gives the route its answers, before anybody listens
 */
export function openPageRoute(instance: FastifyInstance, bounds: onRequestHookHandler): (answers: PageAnswers) => void {
  let answers: PageAnswers;
  void instance.register((route, _options, done) => {
    route.addHook('onRequest', bounds);
    // It never goes on: what comes after are middleware and hooks for Nest's routes.
    route.addHook('onRequest', (request, reply, _on) => answers.answer(request, reply));
    route.addHook('onResponse', (request, reply, over) => {
      answers.finish(request, reply);
      over();
    });
    route.setErrorHandler((error, request, reply) => answers.fail(error, request, reply));
    route.get('/a/:slug', () => undefined);
    done();
  });
  return (given) => void (answers = given);
}
