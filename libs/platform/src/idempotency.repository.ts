import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

@Injectable()
export class IdempotencyRepository {
  /** @returns whether the key was free. Waits for a concurrent transaction that is claiming the same key. */
  async insert(tx: EntityManager, scope: string, key: string, digest: Buffer, thingId: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `INSERT INTO idempotency_keys (scope, key, request_digest, thing_id) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [scope, key, digest, thingId],
    );
    return rows.length > 0;
  }

  /** @returns how many */
  async deleteOld(tx: EntityManager, days: number, limit: number): Promise<number> {
    const [, deleted] = await tx.query<[unknown[], number]>(
      `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(days => $1) LIMIT $2))`,
      [days, limit],
    );
    return deleted;
  }

  async find(tx: EntityManager, scope: string, key: string) {
    const rows = await tx.query<{ request_digest: Buffer; thing_id: string }[]>(
      'SELECT request_digest, thing_id FROM idempotency_keys WHERE scope = $1 AND key = $2',
      [scope, key],
    );
    return rows[0];
  }
}
