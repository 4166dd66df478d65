/** What is kept for phones that are switched off, until they come back. */
import type { Delivery } from './phone-book.ts';

/**
 * Collapse keys that FCM keeps for one token at a time; beyond, it says, any one of the messages may be dropped. Here the oldest is.
 * @see https://firebase.google.com/docs/cloud-messaging/customize-messages/collapsible-message-types
 */
const MAX_KEYS = 4;

export class Away {
  /** Token → collapse key → the newest message; a message without a key is its own. */
  readonly #kept = new Map<string, Map<unknown, Delivery>>();
  readonly #lost: (delivery: Delivery) => void;

  /** @param lost told of each message that its phone will never receive */
  constructor(lost: (delivery: Delivery) => void) {
    this.#lost = lost;
  }

  leave(token: string): void {
    if (!this.#kept.has(token)) this.#kept.set(token, new Map());
  }

  /** @returns what was kept, to be delivered now */
  comeBack(token: string): Delivery[] {
    const kept = [...(this.#kept.get(token)?.values() ?? [])];
    this.#kept.delete(token);
    return kept;
  }

  /** @returns false when the phone is not away */
  keep(token: string, collapseKey: string | null, delivery: Delivery): boolean {
    const kept = this.#kept.get(token);
    if (kept === undefined) return false;
    const key = collapseKey ?? delivery;
    this.#drop(kept, key);
    kept.set(key, delivery);
    const keys = [...kept.keys()].filter((each) => typeof each === 'string');
    if (keys.length > MAX_KEYS) this.#drop(kept, keys[0]);
    return true;
  }

  #drop(kept: Map<unknown, Delivery>, key: unknown): void {
    const old = kept.get(key);
    if (old === undefined) return;
    kept.delete(key);
    this.#lost(old);
  }
}
