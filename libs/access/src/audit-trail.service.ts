import { Injectable } from '@nestjs/common';
import { Audit, type AuditedEntry } from '#audit';
import { Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference, type OfficerActor } from './actor.ts';
import { authorize } from './can.ts';

export interface TrailFilter {
  /** The actor's own when left out. */
  readonly agencyId?: string | undefined;
  readonly thing?: string | undefined;
  readonly actor?: string | undefined;
  /** Entries older than this `seq`. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The audit as officers may see it. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /**
   * An agency's entries, newest first; the read is recorded after them. `next` asks for the older page, null on the last.
   * @throws Refusal `forbidden`, `agency_not_found` (also for an agency that is not below)
   */
  read(actor: OfficerActor, filter: TrailFilter): Promise<{ entries: AuditedEntry[]; next: number | null }> {
    const { agencyId = actor.agencyId, before, limit } = filter;
    const absent = new Refusal<AccessRefusal>('agency_not_found', 'There is no such agency.');
    authorize(actor, 'audit.read', { agencyId }, absent);
    return this.transactions.run(async ({ tx }) => {
      const found = await this.audit.page(tx, { ...filter, agencyId, limit: limit + 1 });
      const entries = found.slice(0, limit);
      await this.audit.record(tx, {
        ...{ agencyId, actor: actorReference(actor), action: 'audit.read', thing: `agency:${agencyId}` },
        detail: { entries: entries.length, ...(before === undefined ? {} : { before }) },
      });
      return { entries, next: found.length > limit ? (entries.at(-1)?.seq ?? null) : null };
    });
  }
}
