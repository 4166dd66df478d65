/** Counts in this process alone, in windows that are the same for all keys: it forgets everything when one ends, but blocks. */
export class LocalCounts {
  private counts = new Map<string, number>();
  /** Milliseconds of `performance.now()` until which a key is blocked. */
  private readonly blocks = new Map<string, number>();
  private endsAt = 0;

  /** @param windowMs milliseconds */
  constructor(private readonly windowMs: number) {}

  /** @returns how often the key came in this window, this time included. */
  add(key: string): number {
    this.turn();
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count;
  }

  /** Milliseconds until the window under way ends. */
  get endsInMs(): number {
    return Math.max(0, this.endsAt - performance.now());
  }

  block(key: string, ms: number): void {
    this.blocks.set(key, performance.now() + ms);
  }

  /** @returns milliseconds; 0 for a key that is not blocked. */
  blockedFor(key: string): number {
    const until = this.blocks.get(key);
    return until === undefined ? 0 : Math.max(0, until - performance.now());
  }

  private turn(): void {
    const now = performance.now();
    if (now < this.endsAt) return;
    this.counts = new Map();
    for (const [key, until] of this.blocks) if (until <= now) this.blocks.delete(key);
    this.endsAt = now + this.windowMs;
  }
}
