/**
 * Work that is asked for more often than it needs to be done. Calls while it runs are merged into one more round, so that
 * whatever was true at the last call has been seen by a round that began after it.
 */
export class Coalesced {
  private running: Promise<void> | undefined;
  private again = false;

  constructor(private readonly work: () => Promise<void>) {}

  /** Resolves when a round that began after this call has ended; rejects when it failed. */
  run(): Promise<void> {
    this.again = true;
    this.running ??= this.rounds();
    return this.running;
  }

  /** Resolves when nothing runs; never rejects. */
  async idle(): Promise<void> {
    await this.running?.catch(() => undefined);
  }

  private async rounds(): Promise<void> {
    try {
      while (this.again) {
        this.again = false;
        await Promise.try(this.work);
      }
    } finally {
      // In the same turn as the last look at `again`: a call after this starts anew, one before it was seen.
      this.again = false;
      this.running = undefined;
    }
  }
}
