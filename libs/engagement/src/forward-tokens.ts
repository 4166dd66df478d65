import { Injectable } from '@nestjs/common';
import { Keys } from '#platform';

const ID_BYTES = 6;
/** 80 bits: a link cannot be guessed, and the token stays short enough for a message. */
const MAC_BYTES = 10;
const LENGTH = Math.ceil(((ID_BYTES + MAC_BYTES) * 8) / 6);

/** The token in a forward link: the forward's id and a MAC, in 22 base64url characters. It names no person and no phone. */
@Injectable()
export class ForwardTokens {
  constructor(private readonly keys: Keys) {}

  encode(forwardId: number): string {
    const id = Buffer.alloc(ID_BYTES);
    id.writeUIntBE(forwardId, 0, ID_BYTES);
    return Buffer.concat([id, this.keys.mac('forward-link', id, MAC_BYTES)]).toString('base64url');
  }

  /** @returns null for anything this key did not make. */
  decode(token: string): number | null {
    if (token.length !== LENGTH) return null;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== ID_BYTES + MAC_BYTES) return null;
    const id = bytes.subarray(0, ID_BYTES);
    return this.keys.verify('forward-link', id, bytes.subarray(ID_BYTES)) ? id.readUIntBE(0, ID_BYTES) : null;
  }
}
