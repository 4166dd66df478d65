import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Case, StoredCase } from './case.entity.ts';
import { caseErased } from './case.errors.ts';
import { isContent, openContents, sealContents } from './case-contents.ts';
import { CaseKeys } from './case-keys.service.ts';
import type { CaseState } from './case-states.ts';

export interface CaseFilter {
  readonly agencyId: string;
  readonly state?: CaseState | undefined;
  /** The last case of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
  /** Who asks: cases that a conflict bars them from are left out. */
  readonly officerId: string;
}

const OF_AGENCY = 'FROM cases c JOIN agencies a ON a.id = c.agency_id';

/**
 * From its end or, for what was only written, from its last change, by the days of its agency. Cases that wait for a
 * verifier or are active have none: the child is still missing.
 */
const KEPT_UNTIL = `(CASE WHEN c.state = 'closed' THEN c.closed_at
  WHEN c.state IN ('draft', 'returned', 'rejected') THEN c.updated_at END + make_interval(days => a.retention_days))`;

/** How an agency stands with the erasure of its cases. */
export interface KeptCases {
  readonly kept: number;
  readonly due: number;
  readonly overdue: number;
  readonly nextAt: Date | null;
}

/** Cases as they stand in the table, and opened; nothing private leaves it unsealed. */
@Injectable()
export class CaseRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: CaseKeys,
  ) {}

  find(id: string, tx: EntityManager = this.dataSource.manager): Promise<StoredCase | null> {
    return tx.findOneBy(StoredCase, { id });
  }

  /** Holds the row until the transaction ends, so that two acts on one case settle one after the other. */
  lock(tx: EntityManager, id: string): Promise<StoredCase | null> {
    return tx.findOne(StoredCase, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** @throws Refusal `case_erased`, also where only the key is gone: of a case restored from an old backup */
  async open(tx: EntityManager, row: StoredCase): Promise<Case> {
    const [opened] = await this.openAll(tx, [row]);
    if (!opened) throw caseErased();
    return opened;
  }

  async insert(tx: EntityManager, row: Omit<Case, 'createdAt' | 'updatedAt'>): Promise<void> {
    const sealed = sealContents(await this.keys.create(tx, row.id), row);
    await tx.insert(StoredCase, { ...plainOf(row), sealed });
  }

  /** @param held the case as its locked row holds it */
  async update(tx: EntityManager, held: Case, patch: Partial<Case>): Promise<void> {
    const sealed = Object.keys(patch).some(isContent)
      ? { sealed: sealContents(await this.keys.of(held.id, tx), { ...held, ...patch }) }
      : {};
    await tx.update(StoredCase, { id: held.id }, { ...plainOf(patch), ...sealed, updatedAt: () => 'now()' });
  }

  async list(tx: EntityManager, filter: CaseFilter): Promise<Case[]> {
    const { agencyId, officerId } = filter;
    const query = tx
      .createQueryBuilder(StoredCase, 'c')
      .where('c.agencyId = :agencyId AND c.erasedAt IS NULL', { agencyId })
      .andWhere(':officerId <> ALL (c.conflictedIds)', { officerId })
      .orderBy('c.createdAt', 'DESC')
      .addOrderBy('c.id', 'DESC')
      .limit(filter.limit);
    if (filter.state) query.andWhere('c.state = :state', { state: filter.state });
    if (filter.before) {
      const last = 'SELECT created_at, id FROM cases WHERE id = :before AND agency_id = :agencyId';
      query.andWhere(`(c.created_at, c.id) < (${last})`, { before: filter.before });
    }
    return this.openAll(tx, await query.getMany());
  }

  /** When the case is erased unless it is touched; null while it is not known. */
  async keptUntil(tx: EntityManager, id: string): Promise<Date | null> {
    const rows = await tx.query<{ until: Date | null }[]>(
      `SELECT ${KEPT_UNTIL} AS until ${OF_AGENCY} WHERE c.id = $1`,
      [id],
    );
    return rows[0]?.until ?? null;
  }

  /** An agency's cases that are still kept: how many, whose time is over, and is over for more than a day; when the next goes. */
  async kept(tx: EntityManager, agencyId: string): Promise<KeptCases> {
    const [row] = await tx.query<[KeptCases]>(
      `SELECT count(*) AS kept, count(*) FILTER (WHERE until <= now()) AS due,
         count(*) FILTER (WHERE until < now() - interval '1 day') AS overdue, min(until) FILTER (WHERE until > now()) AS "nextAt"
       FROM (SELECT ${KEPT_UNTIL} AS until ${OF_AGENCY} WHERE c.agency_id = $1 AND c.erased_at IS NULL) held`,
      [agencyId],
    );
    return row;
  }

  /** Cases whose time is over, the longest over first. */
  async due(limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT c.id ${OF_AGENCY} WHERE c.erased_at IS NULL AND ${KEPT_UNTIL} <= now() ORDER BY ${KEPT_UNTIL} LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  /** Holds a case whose time is over. @returns its agency; null when it no longer is, or somebody else holds it */
  async lockDue(tx: EntityManager, id: string): Promise<string | null> {
    const rows = await tx.query<{ agency_id: string }[]>(
      `SELECT c.agency_id ${OF_AGENCY} WHERE c.id = $1 AND c.erased_at IS NULL AND ${KEPT_UNTIL} <= now()
       FOR UPDATE OF c SKIP LOCKED`,
      [id],
    );
    return rows[0]?.agency_id ?? null;
  }

  /**
   * Holds the cases that are not erased and have no key: of a database restored from a backup, those that were erased since.
   * @returns them with their agencies, in one order for all
   */
  lockKeyless(tx: EntityManager): Promise<{ id: string; agencyId: string }[]> {
    return tx.query<{ id: string; agencyId: string }[]>(
      `SELECT c.id, c.agency_id AS "agencyId" FROM cases c
       WHERE c.erased_at IS NULL AND NOT EXISTS (SELECT FROM vault.case_keys k WHERE k.case_id = c.id)
       ORDER BY c.agency_id, c.id FOR UPDATE OF c`,
    );
  }

  /** Destroys the case's key and what it sealed here. */
  async erase(tx: EntityManager, id: string): Promise<void> {
    await this.keys.destroy(tx, id);
    await tx.query('UPDATE cases SET sealed = NULL, erased_at = now() WHERE id = $1', [id]);
  }

  private async openAll(tx: EntityManager, rows: readonly StoredCase[]): Promise<Case[]> {
    const kept = rows.filter(({ sealed }) => sealed !== null);
    const ids = kept.map(({ id }) => id);
    const keys = await this.keys.ofMany(ids, tx);
    return kept.flatMap(({ sealed, erasedAt: _, ...row }) => {
      const key = keys.get(row.id);
      return key && sealed ? [{ ...row, ...openContents(key, sealed) }] : [];
    });
  }
}

/** What stands open. */
function plainOf(row: Partial<Case>): Partial<StoredCase> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !isContent(name)));
}
