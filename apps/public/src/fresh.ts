interface Entry<Value> {
  readonly loadedAt: number;
  readonly value: Promise<Value>;
  /** The last value that could be loaded, and when. */
  readonly good: { readonly value: Value; readonly loadedAt: number } | undefined;
}

interface Freshness {
  /** Milliseconds for which a value is given out without asking again. */
  readonly maxAgeMs: number;
  /** Milliseconds for which the last good value stands in while loading fails. */
  readonly maxStaleMs: number;
  /** Keys remembered; the one asked for the longest ago goes first. */
  readonly maxEntries: number;
}

/**
 * Values loaded at most once per key and `maxAgeMs`, however many ask: a herd that comes at once shares one load. What is too old
 * even to stand in is forgotten when anything else is asked for. `now` is a monotonic clock in milliseconds.
 */
export class Fresh<Value> {
  private readonly entries = new Map<string, Entry<Value>>();

  constructor(
    private readonly freshness: Freshness,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @returns a value that can be given out at once. */
  ready(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || entry.good?.loadedAt !== entry.loadedAt) return undefined;
    // Its turn to be forgotten is told by `get`, which every value needs again soon enough.
    return this.now() - entry.loadedAt < this.freshness.maxAgeMs ? entry.good.value : undefined;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** @param load is given the last value that could be loaded. */
  get(key: string, load: (last: Value | undefined) => Promise<Value>): Promise<Value> {
    const known = this.entries.get(key);
    this.entries.delete(key);
    const entry = known && this.now() - known.loadedAt < this.freshness.maxAgeMs ? known : this.load(key, load, known);
    this.entries.set(key, entry);
    this.forgetUseless();
    return entry.value;
  }

  /** What is known of the key is not so any more. */
  forget(key: string): void {
    this.entries.delete(key);
  }

  /** A value that came by another way. */
  put(key: string, value: Value): void {
    const loadedAt = this.now();
    this.entries.delete(key);
    this.entries.set(key, { loadedAt, value: Promise.resolve(value), good: { value, loadedAt } });
    this.forgetUseless();
  }

  private load(
    key: string,
    load: (last: Value | undefined) => Promise<Value>,
    known: Entry<Value> | undefined,
  ): Entry<Value> {
    const loadedAt = this.now();
    const value = load(known?.good?.value).then(
      (loaded) => {
        this.remember(key, value, { value: loaded, loadedAt });
        return loaded;
      },
      (error: unknown) => {
        if (known?.good && this.now() - known.good.loadedAt < this.freshness.maxStaleMs) return known.good.value;
        throw error;
      },
    );
    return { loadedAt, value, good: known?.good };
  }

  private remember(key: string, value: Promise<Value>, good: NonNullable<Entry<Value>['good']>): void {
    const entry = this.entries.get(key);
    if (entry?.value === value) this.entries.set(key, { ...entry, good });
  }

  /** The one asked for the longest ago comes first, so all behind one that is kept are kept. */
  private forgetUseless(): void {
    const { maxAgeMs, maxStaleMs, maxEntries } = this.freshness;
    const since = this.now() - maxAgeMs - maxStaleMs;
    for (const [key, { loadedAt }] of this.entries) {
      if (this.entries.size <= maxEntries && loadedAt > since) return;
      this.entries.delete(key);
    }
  }
}
