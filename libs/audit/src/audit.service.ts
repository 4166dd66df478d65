import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { assertReferences, type AuditRecord, GENESIS, hashEntry } from './audit-entry.ts';
import { AuditRepository, type StoredEntry } from './audit.repository.ts';

/** Entries read at a time while a chain is verified. */
const PAGE = 1000;

/** The append-only record of who did what, chained by hash per agency. */
@Injectable()
export class Audit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly entries: AuditRepository,
  ) {}

  /**
   * Writes an entry in the caller's transaction: the act and its entry are committed together or not at all. Locks the
   * agency's chain until the transaction ends, so record last.
   * @throws TypeError for anything that is not a reference, a code or a digest.
   */
  async record(tx: EntityManager, record: AuditRecord): Promise<void> {
    assertReferences(record);
    const head = await this.entries.lockHead(tx, record.agencyId);
    const entry = { ...record, detail: record.detail ?? {}, seq: head.seq + 1, at: head.at, previousHash: head.hash };
    await this.entries.append(tx, { ...entry, hash: hashEntry(entry) });
  }

  /**
   * Recomputes an agency's chain.
   * @returns the `seq` of the first entry that is missing or is not what was recorded, or null when all is well.
   */
  async verifyChain(agencyId: string): Promise<number | null> {
    // One snapshot: an entry recorded meanwhile must not look like a fault.
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      let last: Link = START;
      for await (const entry of this.chain(tx, agencyId)) {
        if (!follows(entry, last)) return last.seq + 1;
        last = entry;
      }
      const head = (await this.entries.head(tx, agencyId)) ?? START;
      return head.seq === last.seq && head.hash.equals(last.hash) ? null : last.seq + 1;
    });
  }

  private async *chain(tx: EntityManager, agencyId: string): AsyncGenerator<StoredEntry> {
    let page: StoredEntry[] = [];
    do {
      page = await this.entries.after(tx, agencyId, page.at(-1)?.seq ?? 0, PAGE);
      yield* page;
    } while (page.length === PAGE);
  }
}

type Link = Pick<StoredEntry, 'seq' | 'hash'>;

const START: Link = { seq: 0, hash: GENESIS };

function follows(entry: StoredEntry, last: Link): boolean {
  const inPlace = entry.seq === last.seq + 1 && entry.previousHash.equals(last.hash);
  return inPlace && hashEntry(entry).equals(entry.hash);
}
