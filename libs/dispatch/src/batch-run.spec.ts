import { describe, expect, it } from '@jest/globals';
import type { PushMessage, PushOutcome } from '#push';
import { BatchRun, refusedAtLarge } from './batch-run.ts';
import type { Lease } from './batch.types.ts';
import { Results } from './results.ts';

const accepted: PushOutcome = { outcome: 'accepted' };
const refused = (more: { readonly afterMs?: number; readonly tooMany?: true } = {}): PushOutcome => ({
  outcome: 'retry',
  code: 'UNAVAILABLE',
  ...more,
});

/** A run of a batch of ten, and what it makes of the outcomes of its first. */
function told(outcomes: readonly PushOutcome[]) {
  const ids = Array.from({ length: 10 }, (_, index) => index + 1);
  const lease = { ids, traceParent: null, firstDueMs: null } as unknown as Lease;
  const run = new BatchRun(lease, new Results(null, ids.length), Date.now());
  const messages = outcomes.map((_, index): PushMessage => ({ token: `sim:${index}` }) as PushMessage);
  const chunk = run.record([...outcomes.keys()], messages, outcomes);
  return { run, chunk };
}

describe('a batch’s run', () => {
  it('lets no Retry-After keep a child’s alert away for more than a minute', () => {
    const { run, chunk } = told([refused({ afterMs: 3_600_000 }), refused({ afterMs: 2_000 })]);
    expect(run.retryMs).toBe(60_000);
    expect(chunk.retryAfterMs).toBe(60_000);
    expect(refusedAtLarge(chunk)).toEqual({ why: 'refused', retryMs: 60_000 });
  });

  it('stays away for a second where the provider refuses at large and does not say for how long', () => {
    expect(refusedAtLarge(told([refused(), refused(), accepted]).chunk)).toEqual({ why: 'refused', retryMs: 1_000 });
    expect(refusedAtLarge(told([refused()]).chunk)).toEqual({ why: 'refused', retryMs: 1_000 });
  });

  it('takes a few refusals to be about single phones', () => {
    expect(refusedAtLarge(told([refused(), accepted]).chunk)).toBeNull();
    expect(refusedAtLarge(told([refused(), ...Array<PushOutcome>(9).fill(accepted)]).chunk)).toBeNull();
  });

  it('leaves what is too many at once to the pacer', () => {
    const tooMany = refused({ tooMany: true });
    expect(refusedAtLarge(told([tooMany, tooMany, tooMany]).chunk)).toBeNull();
  });
});
