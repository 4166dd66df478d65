import { inTime } from './in-time.ts';

/** How long an answer is good, however many ask meanwhile. Prometheus asks every 15 s, and there may be two of them. */
const GOOD_MS = 5_000;
/** Prometheus gives a scrape ten seconds, and what the process knows by heart must come through. */
const PATIENCE_MS = 2_000;

/** An answer from elsewhere that is asked for by many at once: fetched by one, and kept for {@link GOOD_MS}. */
export class Lookup<Answer> {
  private answer: Answer | null = null;
  private answeredAt = -Infinity;
  private asking: Promise<Answer | null> | undefined;

  /** @param failed hears of each failure; it is asked again after the same while */
  constructor(
    private readonly ask: () => Promise<Answer>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Null where there is none. Never rejects. */
  latest(): Promise<Answer | null> {
    if (performance.now() - this.answeredAt < GOOD_MS) return Promise.resolve(this.answer);
    this.asking ??= this.renew().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async renew(): Promise<Answer | null> {
    try {
      this.answer = await inTime(PATIENCE_MS, 'no answer in time', Promise.try(this.ask));
    } catch (error) {
      this.answer = null;
      this.failed(error);
    }
    this.answeredAt = performance.now();
    return this.answer;
  }
}
