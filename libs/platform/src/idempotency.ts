import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { IdempotencyRepository } from './idempotency.repository.ts';
import { Keys } from './keys.ts';
import { Refusal } from './refusal.ts';
import { inPieces } from './retention-runs.ts';

export type IdempotencyRefusal = 'idempotency_key_reused';

/** A request that its client may repeat without effect (draft-ietf-httpapi-idempotency-key-header). */
export interface IdempotentRequest {
  /** Who chose the key: keys of different scopes never meet. */
  readonly scope: string;
  readonly key: string;
  /** What was asked: a repeat must ask the same. */
  readonly request: unknown;
}

/** How long a repeat is recognised: longer than any client goes on trying. */
const KEPT_DAYS = 7;

/** Keys forgotten in one statement, and statements in one run. */
const [AT_ONCE, MANY] = [10_000, 200];

@Injectable()
export class Idempotency {
  constructor(
    private readonly claims: IdempotencyRepository,
    private readonly keys: Keys,
    private readonly dataSource: DataSource,
  ) {}

  /** Forgets keys that no client will repeat any more. @returns how many */
  forgetOld(): Promise<number> {
    return inPieces(AT_ONCE, MANY, (limit) => this.claims.deleteOld(this.dataSource.manager, KEPT_DAYS, limit));
  }

  /**
   * Claims the key for the thing that `tx` is about to make, in the same transaction. A concurrent repeat waits for
   * the first to commit.
   * @returns the id of the thing an earlier request made, or null for a first request.
   * @throws Refusal `idempotency_key_reused` when the earlier request asked for something else.
   */
  async claim(tx: EntityManager, request: IdempotentRequest, thingId: string): Promise<string | null> {
    // Keyed, for it outlives what was asked: nobody may confirm a guess of a case or a tip by it.
    const asked = JSON.stringify(request.request);
    const digest = this.keys.mac('idempotent-request', asked);
    if (await this.claims.insert(tx, request.scope, request.key, digest, thingId)) return null;
    const earlier = await this.claims.find(tx, request.scope, request.key);
    if (earlier && this.keys.verify('idempotent-request', asked, earlier.request_digest)) return earlier.thing_id;
    throw new Refusal<IdempotencyRefusal>(
      'idempotency_key_reused',
      'This Idempotency-Key belongs to another request. Use a new key for a new request.',
    );
  }
}
