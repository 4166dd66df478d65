interface Count {
  points: number;
  /** Milliseconds of `performance.now()` until which the key is refused without asking. */
  blockedUntil: number;
}

/** Counts in this process alone, in windows that are the same for all keys: it forgets everything when one ends, but blocks. */
export class LocalCounts {
  private counts = new Map<string, Count>();
  private endsAt = 0;

  /** @param windowMs milliseconds */
  constructor(private readonly windowMs: number) {}

  /** @returns how often the key came in this window, this time included. */
  add(key: string): number {
    const count = this.countOf(key);
    count.points++;
    return count.points;
  }

  block(key: string, ms: number): void {
    this.countOf(key).blockedUntil = performance.now() + ms;
  }

  /** @returns milliseconds; 0 for a key that is not blocked. */
  blockedFor(key: string): number {
    const { blockedUntil } = this.countOf(key);
    return Math.max(0, blockedUntil - performance.now());
  }

  private countOf(key: string): Count {
    this.turn();
    const count = this.counts.get(key) ?? { points: 0, blockedUntil: 0 };
    this.counts.set(key, count);
    return count;
  }

  private turn(): void {
    const now = performance.now();
    if (now < this.endsAt) return;
    const blocked = [...this.counts].filter(([, { blockedUntil }]) => blockedUntil > now);
    this.counts = new Map(blocked.map(([key, count]) => [key, { ...count, points: 0 }]));
    this.endsAt = now + this.windowMs;
  }
}
