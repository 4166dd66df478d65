import { createHash } from 'node:crypto';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { Language } from '#dispatch';
import { NoticePage } from './views/quiet-pages.tsx';

export interface Page {
  readonly status: number;
  readonly html: Buffer;
  readonly etag: string;
}

export function rendered(status: number, document: VNode): Page {
  const html = Buffer.from(`<!doctype html>${renderToString(document)}`);
  return { status, html, etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"` };
}

/** A page that says one thing, and needs nothing to be made of. */
export function notice(what: 'notFound' | 'failed', language: Language, status = 404): Page {
  return rendered(status, <NoticePage language={language} notice={what} />);
}
