import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { RequestContext } from '#platform';
import { assertReferences, type AuditRecord, hashEntry } from './audit-entry.ts';
import { type AuditFilter, AuditRepository, type StoredEntry } from './audit.repository.ts';
import { Seals } from './seals.ts';
import { readReason, type Why } from './why.ts';

/** The append-only record of who did what, when, from where and why, chained by hash per agency. */
@Injectable()
export class Audit {
  constructor(
    private readonly entries: AuditRepository,
    private readonly seals: Seals,
    private readonly context: RequestContext,
  ) {}

  /**
   * Writes an entry in the caller's transaction: the act and its entry are committed together or not at all. Locks the
   * agency's chain until the transaction ends, so record last. From where comes from the request under way. Why is what the
   * caller knows, else what the officer states, else the duty of their role.
   * @throws TypeError for anything that is not a reference, a code or a digest.
   */
  async record(tx: EntityManager, record: AuditRecord): Promise<void> {
    assertReferences(record);
    const { agencyId, actor, action, thing, detail = {} } = record;
    const head = await this.entries.lockHead(tx, agencyId);
    const entry = {
      ...{ version: 2 as const, agencyId, actor, action, thing, detail },
      ...{ seq: head.seq + 1, at: head.at, previousHash: head.hash },
      ...{ origin: this.origin(), why: record.why ?? this.why(actor) },
    };
    const hash = hashEntry(entry);
    await this.entries.append(tx, { ...entry, hash }, this.seals.seal({ agencyId, seq: entry.seq, hash }));
  }

  /** Newest first. Whoever shows them to an officer records that too. */
  page(tx: EntityManager, filter: AuditFilter): Promise<StoredEntry[]> {
    return this.entries.page(tx, filter);
  }

  /** Whether the actor did anything to one of the things for the same reason in the last 24 hours. */
  wasRecorded(
    tx: EntityManager,
    of: { readonly actor: string; readonly things: readonly string[]; readonly why: Why },
  ) {
    return this.entries.doneToday(tx, of);
  }

  private origin(): string | null {
    const facts = this.context.current;
    if (!facts) return null;
    const network = `network:${this.seals.network(facts.network)}`;
    return facts.sessionId === null ? network : `${network},session:${facts.sessionId}`;
  }

  private why(actor: string): Why {
    if (actor.startsWith('system')) return 'system';
    return readReason(this.context.current?.reason) ?? 'duty';
  }
}
