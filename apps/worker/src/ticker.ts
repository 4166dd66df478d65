import { Logger } from '@nestjs/common';

/** A piece of work done again and again, by name. */
export type Steps = Readonly<Record<string, () => Promise<unknown>>>;

/** Hears how rounds go. */
export interface RoundObserver {
  /** @param ms that the round took */
  ended(ms: number): void;
  failed(step: string): void;
}

/** Periods without the end of a round after which a worker is not doing its work. */
const LATE = 3;

/**
 * Does its steps now and then again so long after they are done: never two rounds at once. A failing step is logged and the next
 * one is tried all the same.
 */
export class Ticker {
  private readonly logger = new Logger(Ticker.name);
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;
  private endedAt = performance.now();

  constructor(
    private readonly everyMs: number,
    private readonly steps: Steps,
    private readonly observer: RoundObserver,
  ) {}

  start(): void {
    this.endedAt = performance.now();
    this.arm(0);
  }

  /** Milliseconds since a round last ended, or since the start. */
  get sinceMs(): number {
    return performance.now() - this.endedAt;
  }

  /** Whether no round has ended for three periods. */
  get late(): boolean {
    return this.sinceMs > LATE * this.everyMs;
  }

  /** Resolves when a round under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private arm(delay: number): void {
    this.timer = setTimeout(() => {
      this.round = this.run().finally(() => {
        if (!this.stopped) this.arm(this.everyMs);
      });
    }, delay);
  }

  private async run(): Promise<void> {
    const began = performance.now();
    for (const [name, step] of Object.entries(this.steps)) {
      try {
        await step();
      } catch (error) {
        this.observer.failed(name);
        this.logger.error({ err: error, step: name }, 'a step failed');
      }
    }
    this.endedAt = performance.now();
    this.observer.ended(this.endedAt - began);
  }
}
