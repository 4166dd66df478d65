import { Injectable, Logger } from '@nestjs/common';
import { Invitations, Sessions } from '#access';
import { Devices } from '#audience';
import type { RetentionStep } from '#outcomes';
import { Idempotency, Outbox, RetentionRuns } from '#platform';
import { CaseRetention } from './case-retention.ts';
import type { Steps } from './ticker.ts';

/** What is forgotten, step by step. Every worker does it; the steps do not conflict. */
@Injectable()
export class Retention {
  private readonly logger = new Logger(Retention.name);

  /** One step a kind of thing, for a ticker. */
  readonly steps: Steps;

  constructor(
    private readonly runs: RetentionRuns,
    cases: CaseRetention,
    devices: Devices,
    sessions: Sessions,
    invitations: Invitations,
    idempotency: Idempotency,
    outbox: Outbox,
  ) {
    const forget: Readonly<Record<RetentionStep, () => Promise<number>>> = {
      ...cases.steps,
      places: () => devices.forgetStalePlaces(),
      devices: () => devices.forgetUnheard(),
      sessions: () => sessions.forgetEnded(),
      invitations: () => invitations.forgetExpired(),
      idempotency: () => idempotency.forgetOld(),
      outbox: () => outbox.forgetOld(),
    };
    this.steps = Object.fromEntries(
      Object.entries(forget).map(([step, work]) => [step, () => this.run(step, work)] as const),
    );
  }

  private async run(step: string, work: () => Promise<number>): Promise<void> {
    const forgotten = await this.runs.run(step, work);
    if (forgotten > 0) this.logger.log({ step, forgotten }, 'forgotten');
  }
}
