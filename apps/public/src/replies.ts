import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Language, surrogateHeaders } from '#dispatch';
import { CACHE_CONTROL, type Caching } from './caching.ts';
import { chooseEncoding } from './encodings.ts';
import { chooseLanguage } from './language.ts';
import { recalled } from './recalled.ts';
import type { Page } from './rendered.tsx';
import type { SharedPage } from './shared-page.ts';

const byAcceptLanguage = recalled((header) => chooseLanguage(undefined, header));
const byAcceptEncoding = recalled(chooseEncoding);

export function languageOf(request: FastifyRequest): Language {
  const { 'accept-language': header = '' } = request.headers;
  const lang = queryOf(request, 'lang');
  return lang === undefined ? byAcceptLanguage(header) : chooseLanguage(lang, header);
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

/** Sends what was made ready before, past Fastify's own writing of headers. */
export function sendShared(request: FastifyRequest, reply: FastifyReply, page: SharedPage, caching: Caching): void {
  const encoded = page.in(byAcceptEncoding(request.headers['accept-encoding'] ?? ''));
  const same = page.status === 200 && caching !== 'none' && hasAlready(request, encoded.etag);
  const head = page.head(encoded, caching, !same) as string[];
  const { raw } = reply.hijack();
  raw.writeHead(same ? 304 : page.status, head);
  // Node sends no body after HEAD.
  if (same) raw.end();
  else raw.end(encoded.bytes);
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
  const given = request.headers['if-none-match'];
  if (given === undefined) return false;
  return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
