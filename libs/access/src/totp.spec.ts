import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';

/** RFC 6238, appendix B: the key of its test vectors, and the last six of their eight digits for SHA-1. */
const KEY = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const VECTORS: [seconds: number, code: string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
];

/** RFC 4226 §5.3, written from its text. */
function codeOf(step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', '12345678901234567890').update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('totp', () => {
  it.each(VECTORS)('knows the code of second %d', (seconds, code) => {
    expect(totpStep(KEY, code, new Date(seconds * 1000))).toBe(Math.floor(seconds / 30));
  });

  it('takes one step early or late, and names the step', () => {
    const step = 50_000_000;
    fc.assert(
      fc.property(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 29_999 }), (away, ms) => {
        const found = totpStep(KEY, codeOf(step + away), new Date(step * 30_000 + ms));
        expect(found).toBe(Math.abs(away) <= 1 ? step + away : null);
      }),
    );
  });

  it.each(['', '12345', '1234567', '28708a', '２８７０８２', ' 287082', '-87082'])('takes %j for no code', (code) => {
    expect(totpStep(KEY, code, new Date(59_000))).toBeNull();
  });

  it('makes secrets of 160 bits, and the address that apps read', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret()).not.toBe(secret);
    const uri = new URL(totpUri(secret, 'lin.chen@police'));
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/Golden72:lin.chen@police',
    ]);
    expect(Object.fromEntries(uri.searchParams)).toMatchObject({ secret, issuer: 'Golden72' });
  });
});
