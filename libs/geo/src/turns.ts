/** Milliseconds that a long calculation keeps the event loop before everybody else gets a turn. */
const TURN_MS = 8;

/** A calculation in small steps, each well under a millisecond. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same result, with the event loop free between turns: for a process that answers requests. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const end = performance.now() + TURN_MS;
    while (performance.now() < end) {
      const { done, value } = steps.next();
      if (done) return value;
    }
    await new Promise(setImmediate);
  }
}
