/**
 * FCM's allowance of messages a minute as a token bucket that refills steadily and holds at most one second's worth.
 * Real FCM counts messages, not requests, and also those it answers with a 4xx other than 429
 * (https://firebase.google.com/docs/cloud-messaging/throttling-and-quotas).
 */
export class Quota {
  #room: number;
  #filledAt: number;
  #perMinute: number;

  /** @param perMinute messages a minute; 0 for no limit. @param nowMs any clock in milliseconds. */
  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#room = this.#burst;
    this.#filledAt = nowMs;
  }

  /** True when the message fits; it is then counted. */
  take(nowMs: number): boolean {
    if (this.#perMinute === 0) return true;
    this.#refill(nowMs);
    if (this.#room < 1) return false;
    this.#room -= 1;
    return true;
  }

  /** Changes the allowance; what is in the bucket stays, up to the new burst. */
  change(perMinute: number, nowMs: number): void {
    const wasUnlimited = this.#perMinute === 0;
    this.#refill(nowMs);
    this.#perMinute = perMinute;
    this.#room = wasUnlimited ? this.#burst : Math.min(this.#room, this.#burst);
  }

  get #burst(): number {
    return Math.max(1, this.#perMinute / 60);
  }

  #refill(nowMs: number): void {
    const elapsed = Math.max(0, nowMs - this.#filledAt);
    this.#room = Math.min(this.#burst, this.#room + (elapsed * this.#perMinute) / 60_000);
    this.#filledAt = nowMs;
  }
}
