import { Injectable } from '@nestjs/common';
import { Keys } from '#platform';

const ID_BYTES = 6;
/** Base64url characters of a token. */
const LENGTH = 22;

/** The token in a forward link: the forward's id, which nobody else can read. It names no person and no phone. */
@Injectable()
export class ForwardTokens {
  constructor(private readonly keys: Keys) {}

  encode(forwardId: number): string {
    const id = Buffer.alloc(ID_BYTES);
    id.writeUIntBE(forwardId, 0, ID_BYTES);
    return this.keys.token('forward-link', id).toString('base64url');
  }

  /** @returns null for anything this key did not make. */
  decode(token: string): number | null {
    if (token.length !== LENGTH) return null;
    return (
      this.keys.readToken('forward-link', Buffer.from(token, 'base64url'), ID_BYTES)?.readUIntBE(0, ID_BYTES) ?? null
    );
  }
}
