/** What stands ready for a scenario. */
export interface Setting {
  /** The quota that paces the wave. */
  readonly quotaPerMinute: number;
  readonly workers: number;
}

/** 150 messages a second: three thousand phones take twenty seconds. */
export const PACE: Setting = { quotaPerMinute: 9_000, workers: 2 };
