/**
 * An expected 'no', by a stable snake_case code that clients may branch on.
 * Each lib lists its codes in `*.errors.ts`; the api maps every code to an HTTP status in one table.
 */
export class Refusal<Code extends string = string> extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: Code,
    /** What is wrong and what to do next, for a person. Holds no personal data: it may be logged. */
    readonly detail: string,
    /** Machine-readable members added to the problem document. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${code}: ${detail}`);
  }
}

/** Whether it is an expected 'no'; any code may be in it. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Refusal;
}
