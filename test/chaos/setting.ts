/** What stands ready for a scenario. */
export interface Setting {
  /** The quota that paces the wave. */
  readonly quotaPerMinute: number;
  readonly workers: number;
  /** Whether phones answer, and people open alert pages: then the public page runs, too. */
  readonly lively?: boolean;
}

/** 150 messages a second: three thousand phones take twenty seconds. */
export const PACE: Setting = { quotaPerMinute: 9_000, workers: 2 };

/** Messages that are under way for one batch at the most: a quarter of a second's quota, up to a hundred. */
export const chunkOf = (quotaPerMinute: number) => Math.max(1, Math.min(100, Math.floor(quotaPerMinute / 240)));
