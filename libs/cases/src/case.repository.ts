import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Case } from './case.entity.ts';
import { CasePhoto } from './case-photo.entity.ts';
import type { CaseState } from './case-states.ts';

export interface CaseFilter {
  readonly agencyId: string;
  readonly state?: CaseState | undefined;
  /** The last case of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

@Injectable()
export class CaseRepository {
  constructor(private readonly dataSource: DataSource) {}

  find(id: string, tx: EntityManager = this.dataSource.manager): Promise<Case | null> {
    return tx.findOneBy(Case, { id });
  }

  /** Holds the row until the transaction ends, so that two acts on one case settle one after the other. */
  lock(tx: EntityManager, id: string): Promise<Case | null> {
    return tx.findOne(Case, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async insert(tx: EntityManager, row: Omit<Case, 'createdAt' | 'updatedAt'>): Promise<void> {
    await tx.insert(Case, row);
  }

  async update(tx: EntityManager, id: string, patch: Partial<Omit<Case, 'details'>> & Pick<Partial<Case>, 'details'>) {
    await tx.update(Case, { id }, { ...patch, updatedAt: () => 'now()' });
  }

  list(tx: EntityManager, filter: CaseFilter): Promise<Case[]> {
    const query = tx
      .createQueryBuilder(Case, 'c')
      .where('c.agencyId = :agencyId', { agencyId: filter.agencyId })
      .orderBy('c.createdAt', 'DESC')
      .addOrderBy('c.id', 'DESC')
      .limit(filter.limit);
    if (filter.state) query.andWhere('c.state = :state', { state: filter.state });
    if (filter.before) {
      const last = 'SELECT created_at, id FROM cases WHERE id = :before AND agency_id = :agencyId';
      query.andWhere(`(c.created_at, c.id) < (${last})`, { before: filter.before });
    }
    return query.getMany();
  }

  async addPhoto(tx: EntityManager, row: Omit<CasePhoto, 'createdAt'>): Promise<void> {
    await tx.insert(CasePhoto, row);
  }

  photos(caseId: string, tx: EntityManager = this.dataSource.manager): Promise<CasePhoto[]> {
    return tx.find(CasePhoto, { where: { caseId }, order: { createdAt: 'ASC' } });
  }

  photo(caseId: string, id: string): Promise<CasePhoto | null> {
    return this.dataSource.manager
      .createQueryBuilder(CasePhoto, 'p')
      .addSelect('p.jpeg')
      .where({ caseId, id })
      .getOne();
  }
}
