import type { PushMessage } from '../push-gateway.ts';
import { template, type Template } from './payload.ts';

/** Phones told in turn differ by platform, language and band: more than this many at once is no repetition to save on. */
const KEPT_TEMPLATES = 8;

interface Kept {
  readonly like: PushMessage;
  readonly refBytes: number;
  readonly template: Template | null;
}

/** A request body and its length in UTF-8 bytes. */
export interface Composed {
  readonly json: string;
  readonly bytes: number;
}

/** Composes the request bodies of one call, serialising once what its phones have in common. */
export class Composer {
  readonly #nowMs: number;
  #kept: Kept[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** `null` where the message exceeds the payload limit. */
  compose(message: PushMessage): Composed | null {
    const ref = JSON.stringify(message.ref);
    const refBytes = Buffer.byteLength(ref);
    const common = this.#templateFor(message, refBytes);
    if (common === null) return null;
    const token = JSON.stringify(message.token);
    return {
      json: common.beforeRef + ref + common.beforeToken + token + common.afterToken,
      bytes: common.bytes + refBytes + Buffer.byteLength(token),
    };
  }

  #templateFor(message: PushMessage, refBytes: number): Template | null {
    for (const kept of this.#kept) {
      if (kept.refBytes === refBytes && sameForBoth(kept.like, message)) return kept.template;
    }
    const made = template(message, refBytes, this.#nowMs);
    this.#kept = [{ like: message, refBytes, template: made }, ...this.#kept.slice(0, KEPT_TEMPLATES - 1)];
    return made;
  }
}

/** Whether two phones are told the same in everything but the reference. */
function sameForBoth(a: PushMessage, b: PushMessage): boolean {
  return (
    a.platform === b.platform &&
    a.body === b.body &&
    a.title === b.title &&
    a.band === b.band &&
    a.sound === b.sound &&
    a.version === b.version &&
    a.kind === b.kind &&
    a.alertId === b.alertId &&
    a.slug === b.slug &&
    a.area === b.area &&
    a.link === b.link &&
    a.photo === b.photo &&
    a.expiresAt.getTime() === b.expiresAt.getTime()
  );
}
