import { Injectable } from '@nestjs/common';
import { Keys } from '#platform';

const BODY_BYTES = 8;
/** 64 bits: a forger who tries a million a second needs about 300 000 years for one recipient. */
const MAC_BYTES = 8;

/** One recipient of one batch: `index` is its place (0–499) in the batch's arrays. */
export interface Recipient {
  readonly batchId: number;
  readonly index: number;
}

/**
 * The opaque reference a push carries and a phone posts back with its receipts: 48 bits of batch, 16 of index and a
 * MAC, in 22 base64url characters. It names no device and cannot be made without the key.
 */
@Injectable()
export class RecipientReferences {
  constructor(private readonly keys: Keys) {}

  encode(batchId: number, index: number): string {
    const body = Buffer.alloc(BODY_BYTES);
    body.writeUIntBE(batchId, 0, 6);
    body.writeUInt16BE(index, 6);
    return Buffer.concat([body, this.keys.mac('recipient-reference', body, MAC_BYTES)]).toString('base64url');
  }

  /** @returns null for anything this key did not make. */
  decode(reference: string): Recipient | null {
    const bytes = Buffer.from(reference, 'base64url');
    if (bytes.length !== BODY_BYTES + MAC_BYTES) return null;
    const body = bytes.subarray(0, BODY_BYTES);
    if (!this.keys.verify('recipient-reference', body, bytes.subarray(BODY_BYTES))) return null;
    return { batchId: body.readUIntBE(0, 6), index: body.readUInt16BE(6) };
  }
}
