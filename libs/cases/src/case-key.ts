import { createHmac, hkdfSync } from 'node:crypto';
import { openWith, sealWith } from '#platform';

/** The opened key of one case. What it seals opens only as a part of the same case under the same name. */
export class CaseKey {
  constructor(
    private readonly caseId: string,
    private readonly key: Buffer,
  ) {}

  /** @param part which part of the case it is, e.g. `sighting:<uuid>` */
  seal(part: string, plaintext: Uint8Array): Buffer {
    return sealWith(this.key, plaintext, this.belonging(part));
  }

  /** @throws Error for bytes of another case or part, or that were changed */
  open(part: string, sealed: Uint8Array): Buffer {
    return openWith(this.key, sealed, this.belonging(part));
  }

  /** As {@link seal}, of anything that JSON holds. */
  sealJson(part: string, value: unknown): Buffer {
    return this.seal(part, Buffer.from(JSON.stringify(value)));
  }

  openJson(part: string, sealed: Uint8Array): unknown {
    return JSON.parse(this.open(part, sealed).toString());
  }

  /** Tells whether two values are the same without telling which: 32 bytes. */
  digest(value: Uint8Array): Buffer {
    const key = Buffer.from(hkdfSync('sha256', this.key, 'golden72', 'digest', 32));
    return createHmac('sha256', key).update(value).digest();
  }

  private belonging(part: string): string {
    return `${this.caseId}/${part}`;
  }
}
