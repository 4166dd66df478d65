import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';
import { Review, type Verdict } from './review.entity.ts';

export interface ReviewFilter {
  readonly agencyIds: readonly string[];
  readonly open: boolean;
  /** Only those after this one in the list. */
  readonly after?: string | undefined;
  readonly limit: number;
}

@Injectable()
export class ReviewRepository {
  async insert(tx: EntityManager, review: Pick<Review, 'id' | 'agencyId' | 'act' | 'thing' | 'officerId'>) {
    await tx.insert(Review, review);
  }

  /** Oldest first: what waited longest comes first. */
  list(tx: EntityManager, { agencyIds, open, after, limit }: ReviewFilter): Promise<Review[]> {
    const query = tx
      .createQueryBuilder(Review, 'review')
      .where({ agencyId: In([...agencyIds]) })
      .andWhere(open ? 'review.verdict IS NULL' : 'review.verdict IS NOT NULL')
      .orderBy('review.createdAt')
      .addOrderBy('review.id')
      .limit(limit);
    if (after === undefined) return query.getMany();
    return query
      .andWhere('(review.created_at, review.id) > (SELECT created_at, id FROM reviews WHERE id = :after)', { after })
      .getMany();
  }

  exists(tx: EntityManager, act: string, thing: string): Promise<boolean> {
    return tx.existsBy(Review, { act, thing });
  }

  lock(tx: EntityManager, id: string): Promise<Review | null> {
    return tx.findOne(Review, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async settle(tx: EntityManager, id: string, verdict: Verdict, settledBy: string): Promise<void> {
    await tx.update(Review, { id }, { verdict, settledBy, settledAt: () => 'now()' });
  }
}
