import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env } from './env.ts';

/** What a MAC is for; each purpose has a key of its own, so that one kind of token never passes for another. */
export type MacPurpose = 'recipient-reference' | 'forward-link' | 'view-digest' | 'rate-limit';

/** Truncated HMACs under keys derived (HKDF, RFC 5869) from SECRET_KEY. */
@Injectable()
export class Keys {
  private readonly derived = new Map<MacPurpose, Buffer>();

  constructor(@Inject(ENV) private readonly env: Pick<Env, 'SECRET_KEY'>) {}

  /** HMAC-SHA-256 of `data`, its first `bytes` bytes. */
  mac(purpose: MacPurpose, data: Uint8Array | string, bytes = 32): Buffer {
    return createHmac('sha256', this.key(purpose)).update(data).digest().subarray(0, bytes);
  }

  /** Whether `given` is the MAC of `data`, in constant time. */
  verify(purpose: MacPurpose, data: Uint8Array | string, given: Uint8Array): boolean {
    return given.length > 0 && timingSafeEqual(this.mac(purpose, data, given.length), given);
  }

  private key(purpose: MacPurpose): Buffer {
    const known = this.derived.get(purpose);
    if (known) return known;
    const master = Buffer.from(this.env.SECRET_KEY, 'base64');
    const key = Buffer.from(hkdfSync('sha256', master, 'golden72', purpose, 32));
    this.derived.set(purpose, key);
    return key;
  }
}

/** A bearer secret of 256 random bits, base64url: what a device, a session or an agency holds. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * What we keep of a bearer secret. A plain hash suffices: 256 random bits cannot be guessed,
 * unlike a password.
 */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
