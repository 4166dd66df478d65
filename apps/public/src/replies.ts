import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Language, surrogateHeaders } from '#dispatch';
import { chooseLanguage } from './language.ts';
import type { Page } from './rendered.tsx';

/** Seconds that browsers and caches may show what has been taken away since, and not one more while we are away (RFC 9111 §5.2.2.2). */
const MAX_AGE_S = 30;

type Caching = 'public' | 'private' | 'none';

const CACHE_CONTROL: Readonly<Record<Caching, string>> = {
  public: `public, max-age=${MAX_AGE_S}, must-revalidate`,
  private: `private, max-age=${MAX_AGE_S}, must-revalidate`,
  none: 'no-store',
};

export function languageOf(request: FastifyRequest): Language {
  return chooseLanguage(queryOf(request, 'lang'), request.headers['accept-language']);
}

/** A parameter of the address that is given once; an address that cannot be read has none. */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown> | null)?.[name];
  return typeof value === 'string' ? value : undefined;
}

export function slugOf(request: FastifyRequest): string | undefined {
  const slug = (request.params as Record<string, unknown> | undefined)?.['slug'];
  return typeof slug === 'string' ? slug : undefined;
}

export function sendPage(request: FastifyRequest, reply: FastifyReply, page: Page, caching: Caching): void {
  void reply
    .status(page.status)
    .headers({
      'content-language': languageOf(request),
      'cache-control': CACHE_CONTROL[caching],
      vary: 'Accept-Language',
      ...(caching === 'none' ? {} : { etag: page.etag, ...surrogatesOf(request) }),
    })
    .type('text/html; charset=utf-8');
  const same = page.status === 200 && caching !== 'none' && hasAlready(request, page.etag);
  void (same ? reply.status(304).send() : reply.send(page.html));
}

export function sendJpeg(request: FastifyRequest, reply: FastifyReply, jpeg: Buffer, etag: string): void {
  void reply.headers({ etag, 'cache-control': CACHE_CONTROL.public, ...surrogatesOf(request) }).type('image/jpeg');
  void (hasAlready(request, etag) ? reply.status(304).send() : reply.send(jpeg));
}

/** By which the copies of an alert are taken back. */
function surrogatesOf(request: FastifyRequest): Readonly<Record<string, string>> {
  const slug = slugOf(request);
  return slug === undefined ? {} : surrogateHeaders(slug);
}

/** If-None-Match, compared weakly (RFC 9110 §13.1.2). */
function hasAlready(request: FastifyRequest, etag: string): boolean {
  const given = request.headers['if-none-match'] ?? '';
  return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
