import { Injectable } from '@nestjs/common';
import { Keys } from '#platform';

/** A chain's head: how long the chain is and how it ends. */
interface SealedHead {
  readonly agencyId: string;
  readonly seq: number;
  readonly hash: Buffer;
}

/** Bytes of a network's digest: enough to tell networks apart, of no use without the key. */
const NETWORK_BYTES = 12;

/** What the database cannot make up by itself, for it needs a key derived from SECRET_KEY. */
@Injectable()
export class Seals {
  constructor(private readonly keys: Keys) {}

  seal(head: SealedHead): Buffer {
    return this.keys.mac('audit-seal', wordsOf(head));
  }

  isSeal(head: SealedHead, seal: Buffer): boolean {
    return seal.length === FULL && this.keys.verify('audit-seal', wordsOf(head), seal);
  }

  /** The same for the same network, so that two acts can be seen to come from one place; the place stays unknown. */
  network(network: string): string {
    return this.keys.mac('audit-origin', network, NETWORK_BYTES).toString('base64url');
  }
}

/** Bytes of a whole HMAC-SHA-256: a shorter one, easier to guess, is no seal. */
const FULL = 32;

function wordsOf({ agencyId, seq, hash }: SealedHead): string {
  return `${agencyId}|${seq}|${hash.toString('hex')}`;
}
