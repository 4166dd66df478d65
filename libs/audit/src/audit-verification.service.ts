import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AuditEntry } from './audit-entry.ts';
import { AuditRepository, type StoredEntry } from './audit.repository.ts';
import { type Anchor, type ChainFault, ChainWalk } from './chain.ts';
import { Seals } from './seals.ts';

/** Entries read at a time while a chain is walked. */
const PAGE = 1000;

/** What was looked at and what is wrong with it: the first fault of each chain. */
export interface AuditReport {
  readonly chains: number;
  readonly entries: number;
  readonly faults: readonly ChainFault[];
}

/** An entry as it is handed to others: hashes in hexadecimal. */
export interface ExportedEntry extends Omit<AuditEntry, 'previousHash'> {
  readonly previousHash: string;
  readonly hash: string;
}

/** Checks what {@link Audit} has recorded, and hands it to others who check it themselves. */
@Injectable()
export class AuditVerification {
  constructor(
    private readonly dataSource: DataSource,
    private readonly entries: AuditRepository,
    private readonly seals: Seals,
  ) {}

  /**
   * Recomputes chains.
   * @param only one agency's; every chain when left out, also those that only an anchor knows
   * @param anchors heads told earlier, see {@link anchors}: without them a whole chain put back to an earlier state, seal
   *   and all, cannot be told from one to which nothing was added
   */
  async verify(only?: string, anchors: readonly Anchor[] = []): Promise<AuditReport> {
    const kept = Map.groupBy(anchors, ({ agencyId }) => agencyId);
    const every = async () => [...(await this.entries.agencies(this.dataSource.manager)), ...kept.keys()];
    const chains = new Set(only === undefined ? await every() : [only]);
    const faults: ChainFault[] = [];
    let entries = 0;
    for (const agencyId of chains) {
      const walk = new ChainWalk(agencyId, kept.get(agencyId) ?? []);
      const fault = await this.walk(agencyId, walk);
      if (fault) faults.push(fault);
      entries += walk.entries;
    }
    return { chains: chains.size, entries, faults };
  }

  /** The first fault of one agency's chain, or null. */
  async faultOf(agencyId: string): Promise<ChainFault | null> {
    return (await this.verify(agencyId)).faults[0] ?? null;
  }

  /** Every chain's head, to be kept where the database's owner cannot change it. */
  async *anchors(): AsyncGenerator<Anchor> {
    let last: string | null = null;
    for (;;) {
      const page: Awaited<ReturnType<AuditRepository['heads']>> = await this.entries.heads(
        this.dataSource.manager,
        last,
        PAGE,
      );
      for (const { agencyId, seq, hash } of page) yield { agencyId, seq, hash: hash.toString('hex') };
      last = page.at(-1)?.agencyId ?? null;
      if (page.length < PAGE) return;
    }
  }

  /** An agency's entries from `from` until before `to`, in the chain's order; each with what its hash covers. */
  async *export(agencyId: string, from: Date, to: Date): AsyncGenerator<ExportedEntry> {
    const { manager } = this.dataSource;
    const begin = await this.entries.seqBefore(manager, agencyId, from);
    const end = await this.entries.seqBefore(manager, agencyId, to);
    for await (const { previousHash, hash, ...entry } of this.chain(manager, agencyId, begin)) {
      if (entry.seq > end) return;
      yield { ...entry, previousHash: previousHash.toString('hex'), hash: hash.toString('hex') };
    }
  }

  private walk(agencyId: string, walk: ChainWalk): Promise<ChainFault | null> {
    // One snapshot: an entry recorded meanwhile must not look like a fault.
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      for await (const entry of this.chain(tx, agencyId, 0)) {
        const fault = walk.step(entry);
        if (fault) return fault;
      }
      const head = await this.entries.head(tx, agencyId);
      return walk.end(head, (claimed, seal) => this.seals.isSeal({ agencyId, ...claimed }, seal));
    });
  }

  private async *chain(tx: EntityManager, agencyId: string, after: number): AsyncGenerator<StoredEntry> {
    let page: StoredEntry[] = [];
    do {
      page = await this.entries.after(tx, agencyId, page.at(-1)?.seq ?? after, PAGE);
      yield* page;
    } while (page.length === PAGE);
  }
}
