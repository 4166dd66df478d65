import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { openWith, sealWith } from './aead.ts';
import { ENV, type Env } from './env.ts';

/** What a MAC is for; each purpose has a key of its own, so that one kind of token never passes for another. */
export type MacPurpose =
  | 'forward-link'
  | 'view-digest'
  | 'rate-limit'
  | 'blur'
  | 'session-network'
  | 'audit-seal'
  | 'audit-origin'
  | 'idempotent-request';

/** What is sealed; each purpose has a key of its own, so that one kind of secret never opens as another. */
export type SealPurpose = 'case-key' | 'oidc-flow' | 'second-factor';

/** What an opaque token names; each purpose has a key of its own, so that one kind of token never passes for another. */
export type TokenPurpose = 'recipient-reference' | 'forward-link';

/** Bytes of a token: one block of AES. */
const TOKEN_BYTES = 16;

/** Bytes of a whole HMAC-SHA-256. */
const MAC_MAX_BYTES = 32;

type KeySettings = Pick<Env, 'SECRET_KEY'> & Partial<Pick<Env, 'SECRET_KEY_PREVIOUS'>>;

/**
 * Truncated HMACs and sealed secrets under keys derived (HKDF, RFC 5869) from SECRET_KEY. What was made under
 * SECRET_KEY_PREVIOUS still verifies and opens.
 */
@Injectable()
export class Keys {
  /** As key objects: Node takes 20 µs to make one of bytes at each use. */
  private readonly derived = new Map<string, KeyObject>();

  private readonly masters: readonly [current: string, ...previous: string[]];

  constructor(@Inject(ENV) { SECRET_KEY, SECRET_KEY_PREVIOUS: previous }: KeySettings) {
    this.masters = previous === undefined ? [SECRET_KEY] : [SECRET_KEY, previous];
  }

  /** HMAC-SHA-256 of `data`, its first `bytes` bytes. */
  mac(purpose: MacPurpose, data: Uint8Array | string, bytes = 32): Buffer {
    return macUnder(this.key(purpose), data, bytes);
  }

  /** Whether `given` is the MAC of `data`, in constant time. */
  verify(purpose: MacPurpose, data: Uint8Array | string, given: Uint8Array): boolean {
    if (given.length === 0 || given.length > MAC_MAX_BYTES) return false;
    return this.masters.some((master) =>
      timingSafeEqual(macUnder(this.key(purpose, master), data, given.length), given),
    );
  }

  /**
   * Encrypts and authenticates (AES-256-GCM).
   * @param aad what the secret belongs to, e.g. `case:<uuid>`: it opens beside the same words alone, so that a row copied
   *   over another's is refused.
   */
  seal(purpose: SealPurpose, plaintext: Uint8Array, aad: string): Buffer {
    return sealWith(this.key(`seal:${purpose}`), plaintext, aad);
  }

  /** Opens what {@link seal} made. @throws Error when it was made under another key, purpose or `aad`, or was changed. */
  open(purpose: SealPurpose, sealed: Uint8Array, aad: string): Buffer {
    const [current, previous] = this.masters;
    try {
      return openWith(this.key(`seal:${purpose}`, current), sealed, aad);
    } catch (error) {
      if (previous === undefined) throw error;
      return openWith(this.key(`seal:${purpose}`, previous), sealed, aad);
    }
  }

  /**
   * Hides a name of at most 8 bytes in 16: the name and zeros, enciphered as one block (AES-256; encode-then-encipher, Bellare
   * and Rogaway 2000). The same name gives the same token; without the key a token tells neither the name nor its
   * neighbours', and a made-up one has zeros in its place with a chance of 2⁻⁶⁴ at most.
   */
  token(purpose: TokenPurpose, name: Uint8Array): Buffer {
    return this.tokens(purpose, [name])[0] as Buffer;
  }

  /** The tokens of many names, for little more than the price of one. */
  tokens(purpose: TokenPurpose, names: readonly Uint8Array[]): Buffer[] {
    const blocks = Buffer.alloc(TOKEN_BYTES * names.length);
    names.forEach((name, n) => blocks.set(name, TOKEN_BYTES * n));
    const cipher = createCipheriv('aes-256-ecb', this.key(`token:${purpose}`), null).setAutoPadding(false);
    const tokens = cipher.update(blocks);
    return names.map((_, n) => tokens.subarray(TOKEN_BYTES * n, TOKEN_BYTES * (n + 1)));
  }

  /** The name of `bytes` bytes in a token, or null for one that this system did not make. */
  readToken(purpose: TokenPurpose, token: Uint8Array, bytes: number): Buffer | null {
    if (token.length !== TOKEN_BYTES) return null;
    for (const master of this.masters) {
      const key = this.key(`token:${purpose}`, master);
      const block = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(token);
      if (block.subarray(bytes).every((byte) => byte === 0)) return block.subarray(0, bytes);
    }
    return null;
  }

  private key(
    purpose: MacPurpose | `seal:${SealPurpose}` | `token:${TokenPurpose}`,
    master = this.masters[0],
  ): KeyObject {
    const name = `${purpose} ${master}`;
    const known = this.derived.get(name);
    if (known) return known;
    const key = createSecretKey(
      Buffer.from(hkdfSync('sha256', Buffer.from(master, 'base64'), 'golden72', purpose, 32)),
    );
    this.derived.set(name, key);
    return key;
  }
}

function macUnder(key: KeyObject, data: Uint8Array | string, bytes: number): Buffer {
  return createHmac('sha256', key).update(data).digest().subarray(0, bytes);
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
