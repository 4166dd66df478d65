import { Logger } from '@nestjs/common';

/** A piece of work done again and again, by name. */
export type Steps = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Does its steps now and then again so long after they are done: never two rounds at once. A failing step is logged and the next
 * one is tried all the same.
 */
export class Ticker {
  private readonly logger = new Logger(Ticker.name);
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly everyMs: number,
    private readonly steps: Steps,
  ) {}

  start(): void {
    this.arm(0);
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
    for (const [name, step] of Object.entries(this.steps)) {
      try {
        await step();
      } catch (error) {
        this.logger.error({ err: error, step: name }, 'a step failed');
      }
    }
  }
}
