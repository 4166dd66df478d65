import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Actor, actorReference, Reviews } from '#access';
import { Audit, type AuditRecord, readReason, type Why } from '#audit';
import { RequestContext } from '#platform';
import type { StoredCase } from './case.entity.ts';

/** What of a case says who has to do with it. */
export type ReadCase = Pick<StoredCase, 'id' | 'agencyId' | 'authorIds' | 'verifierId' | 'state'>;

export interface ReadOf {
  /** E.g. `case.read`. */
  readonly action: string;
  /** What was read, where it is not the case itself. */
  readonly thing?: string;
  readonly detail?: AuditRecord['detail'];
  /** Whether something in it waits for a verifier. */
  readonly waits?: boolean;
}

/**
 * Records who looks at what of a case, or makes themselves an author of it, and why. Nobody is ever kept from it for want of
 * a reason.
 */
@Injectable()
export class CaseReads {
  constructor(
    private readonly audit: Audit,
    private readonly reviews: Reviews,
    private readonly context: RequestContext,
  ) {}

  /**
   * Records a read in the transaction that reads, or an act by which one becomes an author: an author's reads are not
   * reviewed. An officer who neither wrote, submitted, verified nor decides the case and
   * states no reason is listed for review, once a day for one case.
   */
  async record(tx: EntityManager, actor: Actor, held: ReadCase, read: ReadOf): Promise<void> {
    const thing = `case:${held.id}`;
    const { agencyId } = held;
    const why = whyOf(actor, held, read, this.context.current?.reason);
    const entry = { agencyId, actor: actorReference(actor), action: read.action, thing: read.thing ?? thing, why };
    const known =
      why !== 'unstated' ||
      (await this.audit.wasRecorded(tx, { actor: entry.actor, things: [thing, entry.thing], why }));
    if (!known) await this.reviews.add(tx, { agencyId, act: read.action, thing, officerId: actor.id });
    const of = read.thing === undefined ? {} : { case: held.id };
    await this.audit.record(tx, { ...entry, detail: { ...of, ...read.detail } });
  }
}

/** What ties an actor to a case; what they state counts where nothing does. */
export function whyOf(actor: Actor, held: ReadCase, { action, waits = false }: ReadOf, stated?: string | null): Why {
  if (actor.kind !== 'officer') return 'duty';
  if (held.authorIds.includes(actor.id)) return 'author';
  if (held.verifierId === actor.id) return 'verifier';
  if ((waits || held.state === 'submitted') && actor.roles.includes('verifier')) return 'decision';
  const reason = readReason(stated);
  if (reason) return reason;
  // Counts of how alerts worked are what an analyst is for; they tell of no person.
  return action === 'outcome.read' && actor.roles.includes('analyst') ? 'duty' : 'unstated';
}
