import { Inject, Injectable } from '@nestjs/common';
import { RecipientReferences } from '#dispatch';
import { ENV, type Env, Refusal, Transactions } from '#platform';
import { alertEnded } from './open-alerts.ts';
import type { EngagementRefusal } from './engagement.errors.ts';
import { ForwardTokens } from './forward-tokens.ts';
import { type ForwardedAlert, ForwardsRepository } from './forwards.repository.ts';

/** A root's depth is 0. A chain of people longer than this is a loop or a machine. */
const MAX_FORWARD_DEPTH = 16;
/** Links made from one link; a person shares with groups, not with hundreds of links. */
const MAX_FORWARD_CHILDREN = 200;

export interface ForwardLink {
  readonly token: string;
  /** The alert page, opened by this link. */
  readonly url: string;
}

/** The tree of links by which people send an alert on. */
@Injectable()
export class Forwards {
  constructor(
    private readonly transactions: Transactions,
    private readonly forwards: ForwardsRepository,
    private readonly references: RecipientReferences,
    private readonly tokens: ForwardTokens,
    @Inject(ENV) private readonly env: Pick<Env, 'PUBLIC_URL'>,
  ) {}

  /**
   * The link of the recipient whom `ref` names: the same one however often it asks.
   * @throws Refusal `reference_invalid`, `alert_ended`
   */
  async fromRecipient(ref: string): Promise<ForwardLink> {
    const recipient = this.references.decode(ref);
    if (!recipient) throw invalid();
    const { batchId, index } = recipient;
    return this.transactions.run(async ({ tx }) => {
      const alert = demandLive(await this.forwards.findRecipient(tx, batchId, index));
      const id = alert.rootId ?? (await this.forwards.insertRoot(tx, batchId, index));
      if (id === undefined) throw invalid();
      return this.link(alert, id);
    });
  }

  /**
   * A new link under the one that `token` is of.
   * @param slug when given, the alert that the token has to be of
   * @throws Refusal `reference_invalid`, `alert_ended`, `too_many_forwards`
   */
  async fromForward(token: string, slug?: string): Promise<ForwardLink> {
    const parentId = this.tokens.decode(token);
    if (parentId === null) throw invalid();
    return this.transactions.run(async ({ tx }) => {
      const parent = demandLive(await this.forwards.lock(tx, parentId));
      if (slug !== undefined && slug !== parent.slug) throw invalid();
      if (parent.depth >= MAX_FORWARD_DEPTH) throw tooMany();
      const id = await this.forwards.insertChild(tx, parentId, MAX_FORWARD_CHILDREN);
      if (id === undefined) throw tooMany();
      return this.link(parent, id);
    });
  }

  private link({ slug }: ForwardedAlert, id: number): ForwardLink {
    const token = this.tokens.encode(id);
    return { token, url: `${this.env.PUBLIC_URL}/a/${slug}?f=${token}` };
  }
}

function demandLive<Found extends ForwardedAlert>(alert: Found | undefined): Found {
  if (!alert) throw invalid();
  if (!alert.live) throw alertEnded();
  return alert;
}

function invalid(): Refusal<EngagementRefusal> {
  return new Refusal('reference_invalid', 'This reference was not given out by us, or what it named is gone.');
}

function tooMany(): Refusal<EngagementRefusal> {
  return new Refusal('too_many_forwards', 'This link has been sent on too often. Send on the link itself.');
}
