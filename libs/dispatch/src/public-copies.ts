import { setTimeout } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env, Outbound, type UnitOfWork } from '#platform';
import { purgeCopies } from './dispatch.jobs.ts';

/** The key by which a content delivery network knows all that we serve of an alert: page, picture and JSON, in every language. */
function surrogateKey(slug: string): string {
  return `alert-${slug}`;
}

/** Headers of every public answer about an alert: Fastly, Varnish and Akamai read the first, Cloudflare the second. */
export function surrogateHeaders(slug: string): Readonly<Record<string, string>> {
  return { 'surrogate-key': surrogateKey(slug), 'cache-tag': surrogateKey(slug) };
}

/** A page is read anew every second; with some room for slow reads. */
const PAGE_NOTICES_MS = 2_000;

/**
 * Copies of public pages and pictures on a content delivery network before us. They go by themselves after half a minute; a
 * purge makes them go at once. Without `CDN_PURGE_URL` there is none to purge.
 */
@Injectable()
export class PublicCopies {
  constructor(
    private readonly outbound: Outbound,
    @Inject(ENV) private readonly env: Pick<Env, 'CDN_PURGE_URL' | 'CDN_PURGE_TOKEN'>,
  ) {}

  /** Promises, in the caller's transaction, that copies of what an alert was are purged. For every act that takes something back. */
  async purge({ enqueue }: UnitOfWork, slug: string): Promise<void> {
    if (this.env.CDN_PURGE_URL) await enqueue(purgeCopies, { slug });
  }

  /**
   * Purges what the network has, and again what it may have fetched meanwhile from a page that had not yet noticed.
   * @throws Error when the network does not agree, to be tried again
   */
  async purgeNow(slug: string): Promise<void> {
    await this.ask(slug);
    await setTimeout(PAGE_NOTICES_MS);
    await this.ask(slug);
  }

  /** By key in the header (Fastly, Varnish) and in the body (Cloudflare). */
  private async ask(slug: string): Promise<void> {
    const { CDN_PURGE_URL: url, CDN_PURGE_TOKEN: token } = this.env;
    if (!url) return;
    const key = surrogateKey(slug);
    const answer = await this.outbound.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'surrogate-key': key,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ tags: [key] }),
    });
    if (!answer.ok) throw new Error(`the content delivery network answered ${answer.status} to a purge`);
  }
}
