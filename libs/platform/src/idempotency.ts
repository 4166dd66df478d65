import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { IdempotencyRepository } from './idempotency.repository.ts';
import { Refusal } from './refusal.ts';

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

@Injectable()
export class Idempotency {
  constructor(
    private readonly keys: IdempotencyRepository,
    private readonly dataSource: DataSource,
  ) {}

  /** Forgets keys that no client will repeat any more. */
  forgetOld(): Promise<void> {
    return this.keys.deleteOld(this.dataSource.manager, KEPT_DAYS);
  }

  /**
   * Claims the key for the thing that `tx` is about to make, in the same transaction. A concurrent repeat waits for
   * the first to commit.
   * @returns the id of the thing an earlier request made, or null for a first request.
   * @throws Refusal `idempotency_key_reused` when the earlier request asked for something else.
   */
  async claim(tx: EntityManager, request: IdempotentRequest, thingId: string): Promise<string | null> {
    const digest = createHash('sha256').update(JSON.stringify(request.request)).digest();
    if (await this.keys.insert(tx, request.scope, request.key, digest, thingId)) return null;
    const earlier = await this.keys.find(tx, request.scope, request.key);
    if (earlier && earlier.request_digest.equals(digest)) return earlier.thing_id;
    throw new Refusal<IdempotencyRefusal>(
      'idempotency_key_reused',
      'This Idempotency-Key belongs to another request. Use a new key for a new request.',
    );
  }
}
