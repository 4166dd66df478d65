import type { PushOutcome } from '#push';

/**
 * One character a recipient, in the order of the batch's ids. `.` has not been asked; `~` may have been: its push was
 * under way when the ledger last heard of it. Both are pending and will be sent (again): a second copy replaces the
 * first on the phone, a missing one is missed by a child.
 */
export const RESULT = {
  pending: '.',
  doubtful: '~',
  accepted: 'a',
  unregistered: 'u',
  rejected: 'r',
  expired: 'e',
  stopped: 's',
  unknown: 'k',
} as const;

/** Why a batch is given up: what becomes of those never asked. Those in doubt become `unknown` either way. */
export type GivingUp = 'stopped' | 'expired';

const BY_OUTCOME = {
  accepted: RESULT.accepted,
  unregistered: RESULT.unregistered,
  rejected: RESULT.rejected,
  retry: RESULT.pending,
  unknown: RESULT.doubtful,
} as const satisfies Record<PushOutcome['outcome'], string>;

/** The results of one batch while a worker holds it. */
export class Results {
  private readonly codes: string[];

  constructor(stored: string | null, size: number) {
    this.codes = stored === null ? Array<string>(size).fill(RESULT.pending) : [...stored];
  }

  /** Places of those still to be asked. */
  pending(): number[] {
    return this.codes.flatMap((code, index) => (isPending(code) ? [index] : []));
  }

  /** Marks what is about to be sent, so that a crash leaves a doubt and not a silence. */
  begin(indexes: readonly number[]): void {
    for (const index of indexes) this.codes[index] = RESULT.doubtful;
  }

  /** Takes back {@link begin} for what was not sent after all; `before` is the state that it had. */
  restore(before: string): void {
    this.codes.splice(0, this.codes.length, ...before);
  }

  record(index: number, outcome: PushOutcome['outcome']): void {
    this.codes[index] = BY_OUTCOME[outcome];
  }

  /** Leaves those in doubt `unknown`; who was certainly not asked stays pending. */
  giveUpDoubtful(): void {
    this.codes.forEach((code, index) => {
      if (code === RESULT.doubtful) this.codes[index] = RESULT.unknown;
    });
  }

  giveUp(why: GivingUp): void {
    this.giveUpDoubtful();
    for (const index of this.pending()) this.codes[index] = RESULT[why];
  }

  toString(): string {
    return this.codes.join('');
  }
}

function isPending(code: string): boolean {
  return code === RESULT.pending || code === RESULT.doubtful;
}
