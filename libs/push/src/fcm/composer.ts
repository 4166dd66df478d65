import type { PushMessage } from '../push-gateway.ts';
import { template, type Template } from './payload.ts';

/** Phones told in turn differ by platform, language and band: more than this many at once is no repetition to save on. */
const KEPT_TEMPLATES = 8;

interface Kept {
  readonly like: PushMessage;
  readonly refBytes: number;
  readonly template: Template | null;
}

/**
 * Composes the request bodies of one call, in UTF-8, serialising and encoding once what its phones have in common: a string of
 * Chinese is encoded anew for each stream.
 */
export class Composer {
  readonly #nowMs: number;
  #kept: Kept[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** `null` where the message exceeds the payload limit. */
  compose(message: PushMessage): Buffer | null {
    const [ref, token] = [JSON.stringify(message.ref), JSON.stringify(message.token)];
    const [refBytes, tokenBytes] = [Buffer.byteLength(ref), Buffer.byteLength(token)];
    const common = this.#templateFor(message, refBytes);
    if (common === null) return null;
    const { beforeRef, beforeToken, afterToken } = common;
    const body = Buffer.allocUnsafe(beforeRef.length + refBytes + beforeToken.length + tokenBytes + afterToken.length);
    let end = beforeRef.copy(body);
    end += body.write(ref, end);
    end += beforeToken.copy(body, end);
    end += body.write(token, end);
    afterToken.copy(body, end);
    return body;
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
