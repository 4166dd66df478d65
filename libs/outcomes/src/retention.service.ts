import { Injectable } from '@nestjs/common';
import { actorReference, authorize, type OfficerActor } from '#access';
import { Audit } from '#audit';
import { Cases } from '#cases';
import { RECIPIENTS_KEPT_DAYS } from '#dispatch';
import { Clock, type RetentionRun, RetentionRuns, Transactions } from '#platform';
import { RETENTION_RULES, RETENTION_STEPS, type RetentionReport, type StepStanding } from './retention.ts';
import { RetentionRepository } from './retention.repository.ts';

/** Steps run every hour: one that has not ended well for so long is late. Milliseconds. */
const LATE_MS = 3 * 3_600_000;

/** What is kept, until when, and whether it goes. Reads only. */
@Injectable()
export class Retention {
  constructor(
    private readonly retention: RetentionRepository,
    private readonly runs: RetentionRuns,
    private readonly cases: Cases,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
  ) {}

  /** Of the actor's own agency; the read is audited. @throws Refusal `forbidden` */
  read(actor: OfficerActor): Promise<RetentionReport> {
    const { agencyId } = actor;
    authorize(actor, 'retention.read', { agencyId });
    return this.transactions.run(async ({ tx }) => {
      const runs = new Map((await this.runs.all(tx)).map((run) => [run.step, run]));
      const report = {
        agencyId,
        retentionDays: (await this.retention.days(tx, agencyId)) ?? 0,
        cases: await this.cases.kept(tx, agencyId),
        recipients: await this.retention.recipients(tx, agencyId, RECIPIENTS_KEPT_DAYS),
        steps: RETENTION_STEPS.map((step) => this.standing(step, runs.get(step))),
      };
      const entry = { agencyId, actor: actorReference(actor), action: 'retention.read', thing: `agency:${agencyId}` };
      await this.audit.record(tx, entry);
      return report;
    });
  }

  private standing(step: StepStanding['step'], run: RetentionRun | undefined): StepStanding {
    const { ranAt = null, forgotten = 0, failedAt = null } = run ?? {};
    const late = ranAt === null || this.clock.now().getTime() - ranAt.getTime() > LATE_MS;
    return { step, ...RETENTION_RULES[step], ranAt, forgotten, failedAt, late };
  }
}
