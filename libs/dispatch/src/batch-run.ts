import type { PushTarget } from '#audience';
import { Span } from '#platform';
import type { PushMessage, PushOutcome } from '#push';
import type { Lease } from './batch.types.ts';
import type { Told } from './pacer.ts';
import type { Results } from './results.ts';

/** What ended a run before its recipients did. */
export type Interruption =
  | { readonly why: 'overtaken' | 'lost' }
  /** `refused`: this chunk, at large; `away`: so was everybody's, and nobody is asked for a while. */
  | { readonly why: 'no_room' | 'night' | 'refused' | 'away'; readonly retryMs: number };

/**
 * How a worker's turn at a batch ended: `settled`, `retried` for what was not accepted, or what interrupted it. `lost` is also where the
 * ledger could not be written. `fault`: the work itself threw.
 */
export type TurnEnd = 'settled' | 'retried' | 'fault' | Interruption['why'];

/** Nobody is told to wait longer than this by a header: an hour of Retry-After is an hour of a child. */
const MAX_RETRY_AFTER_MS = 60_000;
/** A batch refused at large stays away for so long when the provider does not say for how long. */
const REFUSED_MS = 1_000;
/** A few 429s are about single phones; this share of a chunk is about us. */
const AT_LARGE = 0.1;

/** What the outcomes of a chunk say of the provider. */
export type Chunk = Pick<Told, 'answered' | 'failed' | 'tooMany' | 'retryAfterMs'>;

/** One worker's hold on one batch, and what it has learnt. */
export class BatchRun {
  readonly dead: Pick<PushTarget, 'id' | 'token'>[] = [];
  /** How many outcomes of each code were not 'accepted'. */
  readonly codes = new Map<string, number>();
  private readonly claimedAt = performance.now();
  private firstTold = false;
  pushed = false;
  /** The longest wait that the provider asked for. */
  retryMs = 0;
  private accepted = 0;
  private readonly span: Span | null;

  /** @param beganAt epoch milliseconds: when the claim began */
  constructor(
    readonly lease: Lease,
    readonly results: Results,
    beganAt: number,
  ) {
    const { alertId, waveId, batchId, attempt, band } = lease;
    this.span = Span.under(lease.traceParent, 'batch', { alertId, waveId, batchId, attempt, band }, beganAt);
    this.span?.part('claim', {}, beganAt).end();
  }

  /** Does a part of the run, which is a part of its trace. */
  async step<Result>(name: string, work: () => Promise<Result>, messages?: number): Promise<Result> {
    const part = this.span?.part(name, messages === undefined ? {} : { messages });
    try {
      return await work();
    } finally {
      part?.end();
    }
  }

  endedBy(interruption: Interruption | null): TurnEnd {
    return interruption?.why ?? (this.results.pending().length > 0 ? 'retried' : 'settled');
  }

  /** Nothing more is done. */
  end(end: TurnEnd): void {
    this.span?.note({ end, accepted: this.accepted, ...Object.fromEntries(this.codes) });
    this.span?.end(end === 'lost');
  }

  record(indexes: readonly number[], messages: readonly PushMessage[], outcomes: readonly PushOutcome[]): Chunk {
    indexes.forEach((index, place) => {
      const outcome = outcomes[place] as PushOutcome;
      this.results.record(index, outcome.outcome);
      this.note(outcome);
      if (outcome.outcome === 'unregistered') {
        this.dead.push({ id: this.lease.ids[index] as number, token: (messages[place] as PushMessage).token });
      }
    });
    return chunkOf(outcomes);
  }

  /**
   * For how many milliseconds the wave's first push was owed, once: when one is accepted, or nobody of the batch is left to be asked.
   * Null until then, and ever after.
   */
  firstPushMs(): number | null {
    const { firstDueMs } = this.lease;
    if (firstDueMs === null || this.firstTold) return null;
    if (!this.pushed && this.results.pending().length > 0) return null;
    this.firstTold = true;
    return firstDueMs + performance.now() - this.claimedAt;
  }

  private note(outcome: PushOutcome): void {
    if (outcome.outcome === 'accepted') {
      this.pushed = true;
      this.accepted++;
      return;
    }
    const code = outcome.outcome === 'unregistered' ? 'UNREGISTERED' : outcome.code;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (outcome.outcome === 'retry') this.retryMs = Math.max(this.retryMs, askedMs(outcome));
  }
}

/** Whether a chunk was refused at large, and for how long its batch stays away then. 'Too many' is the pacer's to mend: it goes on, slower. */
export function refusedAtLarge({
  answered,
  failed,
  tooMany,
  retryAfterMs,
}: Chunk): { why: 'refused'; retryMs: number } | null {
  const size = answered + failed;
  const refused = failed - tooMany;
  const atLarge = refused > size * AT_LARGE && (refused > 1 || size === 1);
  return atLarge ? { why: 'refused', retryMs: Math.max(REFUSED_MS, retryAfterMs) } : null;
}

function chunkOf(outcomes: readonly PushOutcome[]): Chunk {
  const refusals = outcomes.filter((one) => one.outcome === 'retry');
  const failed = refusals.length + outcomes.filter((one) => one.outcome === 'unknown').length;
  return {
    answered: outcomes.length - failed,
    failed,
    tooMany: refusals.filter((one) => one.tooMany).length,
    retryAfterMs: Math.max(0, ...refusals.map(askedMs)),
  };
}

function askedMs({ afterMs = 0 }: { readonly afterMs?: number }): number {
  return Math.min(afterMs, MAX_RETRY_AFTER_MS);
}
