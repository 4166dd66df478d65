import { Injectable } from '@nestjs/common';
import { Metrics } from '#platform';
import type { PushOutcome } from '#push';
import type { TurnEnd } from './batch-run.ts';
import { RESULT } from './results.ts';

/** Why a push was not accepted, in few words: providers have many codes, and invent more. */
const REASONS: Readonly<Record<string, readonly string[]>> = {
  quota: ['QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED', 'HTTP_429'],
  provider: ['UNAVAILABLE', 'INTERNAL', 'HTTP_500', 'HTTP_502', 'HTTP_503', 'HTTP_504', 'MALFORMED_ANSWER'],
  timeout: ['TIMEOUT', 'DEADLINE_EXCEEDED'],
  connection: ['CONNECTION_LOST', 'STREAM_RESET', 'REFUSED_STREAM', 'NOT_SENT', 'UNREACHABLE', 'NO_ROOM', 'CLOSED'],
  credentials: [
    'NO_CREDENTIALS',
    'UNAUTHENTICATED',
    'PERMISSION_DENIED',
    'THIRD_PARTY_AUTH_ERROR',
    'HTTP_401',
    'HTTP_403',
  ],
  token: ['UNREGISTERED', 'SENDER_ID_MISMATCH', 'NOT_FOUND'],
  message: ['INVALID_ARGUMENT', 'PAYLOAD_TOO_LARGE'],
  withdrawn: ['ABORTED'],
};

const REASON_OF = new Map(Object.entries(REASONS).flatMap(([reason, codes]) => codes.map((code) => [code, reason])));

/** Results that stay, by their character in the ledger. */
const FINAL = Object.entries(RESULT).filter(([result]) => result !== 'pending' && result !== 'doubtful');

/** What this worker sends, and what comes of it. */
@Injectable()
export class SendingMetrics {
  private readonly pushes;
  private readonly chunkSeconds;
  private readonly firstPushSeconds;
  private readonly turns;
  private readonly results;

  constructor(metrics: Metrics) {
    this.pushes = metrics.counter(
      'golden72_pushes_total',
      'Pushes handed to the provider, by what it said; each try counts. `reason` is empty for what was accepted.',
      ['outcome', 'reason'],
    );
    this.chunkSeconds = metrics.histogram(
      'golden72_push_chunk_seconds',
      'Time until the provider had answered every push of a chunk, at most 100.',
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    );
    this.firstPushSeconds = metrics.histogram(
      'golden72_first_push_seconds',
      'Time for which a wave’s first push was owed until it was accepted; a hold and the night of a serious alert do not count.',
      [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
      ['audience'],
    );
    this.turns = metrics.counter('golden72_batch_turns_total', 'Turns at batches of this worker, by how they ended.', [
      'end',
    ]);
    this.results = metrics.counter(
      'golden72_results_total',
      'Recipients who got a final result from this worker; what an ending stops in the ledger is not among them.',
      ['result'],
    );
    this.pushes.inc({ outcome: 'accepted', reason: '' }, 0);
    for (const [result] of FINAL) this.results.inc({ result }, 0);
  }

  /** A chunk is answered. @param ms since it was handed over */
  answered(outcomes: readonly PushOutcome[], ms: number): void {
    this.chunkSeconds.observe(ms / 1000);
    let accepted = 0;
    for (const outcome of outcomes) {
      if (outcome.outcome === 'accepted') accepted++;
      else this.pushes.inc({ outcome: outcome.outcome, reason: reasonOf(outcome) });
    }
    // Nearly all of them: counted one by one they would cost as much as a push's verdict.
    if (accepted > 0) this.pushes.inc({ outcome: 'accepted', reason: '' }, accepted);
  }

  /** @param ms for which it was owed */
  firstPush(audience: string, ms: number): void {
    this.firstPushSeconds.observe({ audience }, ms / 1000);
  }

  /** A turn at a batch has ended. @param before its results at the claim */
  ended(end: TurnEnd, before: string | null, after: string): void {
    this.turns.inc({ end });
    if (end === 'lost') return;
    for (const [result, code] of FINAL) {
      const more = countOf(after, code) - countOf(before ?? '', code);
      if (more > 0) this.results.inc({ result }, more);
    }
  }
}

function reasonOf(outcome: Exclude<PushOutcome, { readonly outcome: 'accepted' }>): string {
  if (outcome.outcome === 'unregistered') return 'token';
  return REASON_OF.get(outcome.code) ?? 'other';
}

function countOf(results: string, code: string): number {
  let count = 0;
  for (let at = results.indexOf(code); at !== -1; at = results.indexOf(code, at + 1)) count++;
  return count;
}
