import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { chooseEncoding, encodedIn } from './encodings.ts';

describe('chooseEncoding', () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['br;q=nonsense', 'identity'],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['deflate', 'identity'],
    ['', 'identity'],
    [undefined, 'identity'],
  ] as const)('for %s is %s', (header, expected) => {
    expect(chooseEncoding(header)).toBe(expected);
  });
});

describe('encodedIn', () => {
  it('holds the same page three times, under three tags', async () => {
    const html = Buffer.from('<p>yellow raincoat</p>'.repeat(100));
    const { br, gzip, identity } = await encodedIn({ status: 200, html, etag: '"x"' });
    expect(identity).toEqual({ encoding: 'identity', bytes: html, etag: '"x"' });
    expect([br.etag, gzip.etag]).toEqual(['"x-br"', '"x-gzip"']);
    expect([brotliDecompressSync(br.bytes), gunzipSync(gzip.bytes)]).toEqual([html, html]);
    expect(Math.max(br.bytes.length, gzip.bytes.length)).toBeLessThan(html.length / 2);
  });

  it('leaves a page alone that is too small to gain', async () => {
    const { br, gzip, identity } = await encodedIn({ status: 410, html: Buffer.from('short'), etag: '"x"' });
    expect([br, gzip]).toEqual([identity, identity]);
  });
});
