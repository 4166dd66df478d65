import { type Language, surrogateHeaders } from '#dispatch';
import { type Encoded, encodedIn, type Encoding } from './encodings.ts';
import type { Page } from './rendered.tsx';
import { CACHE_CONTROL, type Caching } from './caching.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** A page that many are sent: compressed once, and its headers written once, as Node takes them (name, value, name, …). */
export class SharedPage implements Page {
  private readonly heads = new Map<Encoded, Partial<Record<Caching | `${Caching} alone`, readonly string[]>>>();

  private constructor(
    private readonly page: Page,
    private readonly encoded: Readonly<Record<Encoding, Encoded>>,
    private readonly language: Language,
    /** The alert it is about; null where there is none. */
    readonly alert: { readonly id: string; readonly slug: string } | null,
  ) {}

  static async of(page: Page, language: Language, alert: SharedPage['alert']): Promise<SharedPage> {
    return new SharedPage(page, await encodedIn(page), language, alert);
  }

  get status(): number {
    return this.page.status;
  }

  get html(): Buffer {
    return this.page.html;
  }

  get etag(): string {
    return this.page.etag;
  }

  in(encoding: Encoding): Encoded {
    return this.encoded[encoding];
  }

  /** @param body whether it follows */
  head(encoded: Encoded, caching: Caching, body: boolean): readonly string[] {
    let heads = this.heads.get(encoded);
    if (!heads) this.heads.set(encoded, (heads = {}));
    const key = body ? caching : (`${caching} alone` as const);
    return (heads[key] ??= this.written(encoded, caching, body));
  }

  private written({ encoding, bytes, etag }: Encoded, caching: Caching, body: boolean): readonly string[] {
    return Object.entries({
      ...SECURITY_HEADERS,
      'content-language': this.language,
      'cache-control': CACHE_CONTROL[caching],
      vary: 'Accept-Language, Accept-Encoding',
      ...(caching !== 'none' && { etag, ...(this.alert && surrogateHeaders(this.alert.slug)) }),
      'content-type': 'text/html; charset=utf-8',
      ...(body && encoding !== 'identity' && { 'content-encoding': encoding }),
      ...(body && { 'content-length': `${bytes.length}` }),
    }).flat();
  }
}
