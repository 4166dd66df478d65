interface Count {
  points: number;
  /** Milliseconds of the clock. */
  readonly endsAt: number;
}

/**
 * Counts requests of each network in windows of its own, in this process alone. It stands before every request, so it waits for
 * nothing and makes nothing but the first time. `now` is a monotonic clock in milliseconds.
 */
export class Flood {
  private readonly counts = new Map<string, Count>();
  private sweepAt = 0;

  /**
   * @param points at least 1
   * @param windowMs milliseconds from a network's first request until it is counted anew
   */
  constructor(
    private readonly points: number,
    private readonly windowMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @returns milliseconds until the network may come again; 0 while it may. */
  add(network: string): number {
    const now = this.now();
    const count = this.counts.get(network);
    if (count !== undefined && count.endsAt > now) return ++count.points > this.points ? count.endsAt - now : 0;
    this.sweep(now);
    this.counts.set(network, { points: 1, endsAt: now + this.windowMs });
    return 0;
  }

  /** Networks remembered. */
  get size(): number {
    return this.counts.size;
  }

  private sweep(now: number): void {
    if (now < this.sweepAt) return;
    this.sweepAt = now + this.windowMs;
    for (const [network, { endsAt }] of this.counts) if (endsAt <= now) this.counts.delete(network);
  }
}
