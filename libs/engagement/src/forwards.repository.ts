import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export interface ForwardedAlert {
  readonly slug: string;
  readonly live: boolean;
}

@Injectable()
export class ForwardsRepository {
  /** The alert a recipient was asked by, and the recipient's root when it has forwarded before. */
  async findRecipient(tx: EntityManager, batchId: number, index: number) {
    const rows = await tx.query<(ForwardedAlert & { rootId: number | null })[]>(
      `SELECT a.slug, a.state = 'live' AND a.expires_at > now() AS live, f.id AS "rootId"
       FROM batches b JOIN alerts a ON a.id = b.alert_id
       LEFT JOIN forwards f ON f.batch_id = b.id AND f.index = $2 AND f.parent_id IS NULL
       WHERE b.id = $1 AND b.size > $2`,
      [batchId, index],
    );
    return rows[0];
  }

  /** @returns the id of the recipient's one root, made by whichever of two concurrent requests came first; undefined once the batch is gone. */
  async insertRoot(tx: EntityManager, batchId: number, index: number): Promise<number | undefined> {
    const rows = await tx.query<{ id: number }[]>(
      `INSERT INTO forwards (alert_id, batch_id, index, depth)
       SELECT alert_id, id, $2, 0 FROM batches WHERE id = $1 FOR KEY SHARE
       ON CONFLICT (batch_id, index) WHERE parent_id IS NULL DO UPDATE SET depth = 0
       RETURNING id`,
      [batchId, index],
    );
    return rows[0]?.id;
  }

  /** Holds the forward until `tx` ends, so that its children are counted and added one at a time. */
  async lock(tx: EntityManager, id: number) {
    const rows = await tx.query<(ForwardedAlert & { depth: number })[]>(
      `SELECT a.slug, a.state = 'live' AND a.expires_at > now() AS live, f.depth
       FROM forwards f JOIN alerts a ON a.id = f.alert_id WHERE f.id = $1 FOR NO KEY UPDATE OF f`,
      [id],
    );
    return rows[0];
  }

  /** Adds a child to a forward that is locked. @returns its id, or undefined when the parent has `maxChildren` already. */
  async insertChild(tx: EntityManager, parentId: number, maxChildren: number): Promise<number | undefined> {
    const rows = await tx.query<{ id: number }[]>(
      `INSERT INTO forwards (alert_id, parent_id, depth)
       SELECT alert_id, id, depth + 1 FROM forwards parent
       WHERE id = $1 AND (SELECT count(*) FROM forwards WHERE parent_id = parent.id) < $2
       RETURNING id`,
      [parentId, maxChildren],
    );
    return rows[0]?.id;
  }
}
