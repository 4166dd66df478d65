import { Injectable } from '@nestjs/common';
import { Keys } from '#platform';

const NAME_BYTES = 8;

function nameOf(batchId: number, index: number): Buffer {
  const name = Buffer.allocUnsafe(NAME_BYTES);
  name.writeUIntBE(batchId, 0, 6);
  name.writeUInt16BE(index, 6);
  return name;
}

/** One recipient of one batch: `index` is its place (0–499) in the batch's arrays. */
export interface Recipient {
  readonly batchId: number;
  readonly index: number;
}

/**
 * The opaque reference a push carries and a phone posts back with its receipts: 48 bits of batch and 16 of index in 22
 * base64url characters. It names no device, and without the key it can neither be read nor made: a phone learns from its
 * own neither how many were asked before it nor how near it was.
 */
@Injectable()
export class RecipientReferences {
  constructor(private readonly keys: Keys) {}

  encode(batchId: number, index: number): string {
    return this.encodeAll(batchId, [index])[0] as string;
  }

  /** The references of many recipients of one batch, in their order. */
  encodeAll(batchId: number, indexes: readonly number[]): string[] {
    const names = indexes.map((index) => nameOf(batchId, index));
    return this.keys.tokens('recipient-reference', names).map((token) => token.toString('base64url'));
  }

  /** @returns null for anything this key did not make. */
  decode(reference: string): Recipient | null {
    const name = this.keys.readToken('recipient-reference', Buffer.from(reference, 'base64url'), NAME_BYTES);
    return name && { batchId: name.readUIntBE(0, 6), index: name.readUInt16BE(6) };
  }
}
