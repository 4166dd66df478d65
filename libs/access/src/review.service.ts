import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference, type OfficerActor } from './actor.ts';
import { authorize } from './can.ts';
import type { Review, Verdict } from './review.entity.ts';
import { ReviewRepository } from './review.repository.ts';

/** An act for review: names as the audit's. */
export type ReviewedAct = Pick<Review, 'agencyId' | 'act' | 'thing' | 'officerId'>;

/** Reviews on one page. */
const REVIEWS_PER_PAGE = 50;

/** What reaches fewer people one officer does alone and at once; here another looks at it afterwards. */
@Injectable()
export class Reviews {
  constructor(
    private readonly reviews: ReviewRepository,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** Lists an act for review, in the act's transaction. @returns the review's id */
  async add(tx: EntityManager, act: ReviewedAct): Promise<string> {
    const id = randomUUID();
    const { agencyId, thing, officerId } = act;
    await this.reviews.insert(tx, { id, agencyId, act: act.act, thing, officerId });
    return id;
  }

  /** Whether such an act on a thing was ever listed, settled or not. */
  wasDone(tx: EntityManager, act: string, thing: string): Promise<boolean> {
    return this.reviews.exists(tx, act, thing);
  }

  /**
   * Reviews of the actor's agency and of those below, oldest first; `next` asks for the page after, null on the last.
   * @throws Refusal `forbidden`
   */
  list(actor: OfficerActor, filter: { open: boolean; after?: string | undefined }) {
    authorize(actor, 'review.read', { agencyId: actor.agencyId });
    return this.transactions.run(async ({ tx }) => {
      const agencyIds = [actor.agencyId, ...actor.belowIds];
      const found = await this.reviews.list(tx, { ...filter, agencyIds, limit: REVIEWS_PER_PAGE + 1 });
      const reviews = found.slice(0, REVIEWS_PER_PAGE);
      await this.record(tx, actor, 'review.list', `agency:${actor.agencyId}`, actor.agencyId, reviews.length);
      return { reviews, next: found.length > reviews.length ? (reviews.at(-1)?.id ?? null) : null };
    });
  }

  /**
   * Settles a review, by another officer than the one who acted.
   * @throws Refusal `review_not_found` (also for another agency's), `forbidden`, `verifier_is_author`, `review_settled`
   */
  settle(actor: OfficerActor, id: string, verdict: Verdict): Promise<void> {
    return this.transactions.run(async ({ tx }) => {
      const review = await this.reviews.lock(tx, id);
      if (!review) throw notFound();
      const { agencyId, officerId } = review;
      authorize(actor, 'review.settle', { agencyId, authorIds: officerId === null ? [] : [officerId] }, notFound());
      if (review.verdict) throw new Refusal<AccessRefusal>('review_settled', 'Another officer settled it already.');
      await this.reviews.settle(tx, id, verdict, actor.id);
      await this.record(tx, actor, 'review.settle', `review:${id}`, agencyId, verdict);
    });
  }

  private record(
    tx: EntityManager,
    actor: OfficerActor,
    action: string,
    thing: string,
    agencyId: string,
    said: string | number,
  ) {
    const detail = typeof said === 'number' ? { reviews: said } : { verdict: said };
    return this.audit.record(tx, { agencyId, actor: actorReference(actor), action, thing, detail });
  }
}

function notFound(): Refusal<AccessRefusal> {
  return new Refusal('review_not_found', 'There is no such review.');
}
