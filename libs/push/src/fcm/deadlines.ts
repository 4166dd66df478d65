/** A timer that fires so late tells that the whole process stood still: nothing that came meanwhile has been read. */
const STANDSTILL_MS = 1_000;

/** Enough to read it. */
const CATCH_UP_MS = 1_000;

/**
 * Things that must be done with within the same time each, kept in the order they came: one timer for all, where one
 * each would cost more than the work. The timer holds no process open. One that stood still has a second more for what it finds done.
 */
export class Deadlines<T> {
  readonly #since = new Map<T, number>();
  readonly #allowedMs: number;
  readonly #onOverdue: (thing: T) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onOverdue called once for a thing that was not deleted in time; it is out by then */
  constructor(allowedMs: number, onOverdue: (thing: T) => void) {
    this.#allowedMs = allowedMs;
    this.#onOverdue = onOverdue;
  }

  get size(): number {
    return this.#since.size;
  }

  /** Milliseconds since the one that came first came; 0 without any. */
  get longestMs(): number {
    const first = this.#since.values().next();
    return first.done === true ? 0 : performance.now() - first.value;
  }

  add(thing: T): void {
    this.#since.set(thing, performance.now());
    this.#timer ??= this.#wake(this.#allowedMs);
  }

  delete(thing: T): boolean {
    return this.#since.delete(thing);
  }

  /** Takes out the one that came first. */
  shift(): T | undefined {
    const first = this.#since.keys().next();
    if (first.done === true) return undefined;
    this.#since.delete(first.value);
    return first.value;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wake(inMs: number): NodeJS.Timeout {
    const dueAt = performance.now() + inMs;
    return setTimeout(() => {
      const stoodStill = performance.now() - dueAt > STANDSTILL_MS;
      if (stoodStill) this.#timer = setTimeout(() => this.#sweep(), CATCH_UP_MS).unref();
      else this.#sweep();
    }, inMs).unref();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [thing, since] of this.#since) {
      const leftMs = since + this.#allowedMs - now;
      if (leftMs > 0) {
        this.#timer ??= this.#wake(Math.ceil(leftMs));
        return;
      }
      this.#since.delete(thing);
      this.#onOverdue(thing);
    }
  }
}
