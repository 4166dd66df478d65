import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { qualityOf } from './quality.ts';
import type { Page } from './rendered.tsx';

/** How a page can be sent (RFC 9110 §8.4.1), the smallest first. */
const ENCODINGS = ['br', 'gzip', 'identity'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** One page as sent in one encoding; each has an entity tag of its own (RFC 9110 §8.8.3.3). */
export interface Encoded {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Smaller than this a page fits into one packet whichever way. */
const WORTH_BYTES = 1000;

/** Brotli's effort, of 11: three times as small as the page in 2 ms; the last tenth would take twenty. */
const QUALITY = 9;

/**
 * Compresses a page once, off the main loop, for all who are sent it: it holds nothing of any one reader's, so that its length
 * tells nothing (BREACH).
 */
export async function encodedIn(page: Page): Promise<Readonly<Record<Encoding, Encoded>>> {
  const identity = { encoding: 'identity', bytes: page.html, etag: page.etag } as const;
  if (page.html.length < WORTH_BYTES) return { br: identity, gzip: identity, identity };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(page.html, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } }),
    promisify(gzip)(page.html, { level: 9 }),
  ]);
  const tagged = (encoding: Encoding, bytes: Buffer) => ({
    encoding,
    bytes,
    etag: `${page.etag.slice(0, -1)}-${encoding}"`,
  });
  return { br: tagged('br', br), gzip: tagged('gzip', gz), identity };
}

/** The encoding for a client's Accept-Encoding (RFC 9110 §12.5.3): the smallest that it takes at all, else the page as it is. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding {
  const weights = new Map<string, number>();
  for (const range of (acceptEncoding ?? '').split(',', 20)) {
    const [coding = '', quality] = range.split(';', 2);
    weights.set(coding.trim().toLowerCase().replace(/^x-/, ''), qualityOf(quality));
  }
  const accepts = (encoding: Encoding) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0;
  return ENCODINGS.find((encoding) => encoding === 'identity' || accepts(encoding)) ?? 'identity';
}
