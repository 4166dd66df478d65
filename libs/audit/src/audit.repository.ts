import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditEntry, GENESIS } from './audit-entry.ts';

const UTC = `'YYYY-MM-DD"T"HH24:MI:SS.US'`;

export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
  /** PostgreSQL's time once the chain was locked, so that times rise along the chain. */
  readonly at: string;
}

export interface StoredEntry extends AuditEntry {
  readonly hash: Buffer;
}

@Injectable()
export class AuditRepository {
  /** Locks the agency's chain until `tx` ends, starting it when it is not there. */
  async lockHead(tx: EntityManager, agencyId: string): Promise<ChainHead> {
    const [head] = await tx.query<[ChainHead]>(
      `INSERT INTO audit_chains AS chain (agency_id, seq, hash) VALUES ($1, 0, $2)
       ON CONFLICT (agency_id) DO UPDATE SET seq = chain.seq
       RETURNING seq, hash, to_char(clock_timestamp() AT TIME ZONE 'UTC', ${UTC}) AS at`,
      [agencyId, GENESIS],
    );
    return head;
  }

  async append(tx: EntityManager, entry: StoredEntry): Promise<void> {
    await tx.query(
      `WITH head AS (UPDATE audit_chains SET seq = $2, hash = $9 WHERE agency_id = $1)
       INSERT INTO audit_entries (agency_id, seq, at, actor, action, thing, detail, previous_hash, hash)
       VALUES ($1, $2, $3::timestamp AT TIME ZONE 'UTC', $4, $5, $6, $7, $8, $9)`,
      [
        entry.agencyId,
        entry.seq,
        entry.at,
        entry.actor,
        entry.action,
        entry.thing,
        JSON.stringify(entry.detail),
        entry.previousHash,
        entry.hash,
      ],
    );
  }

  async head(tx: EntityManager, agencyId: string): Promise<Omit<ChainHead, 'at'> | undefined> {
    const rows = await tx.query<ChainHead[]>('SELECT seq, hash FROM audit_chains WHERE agency_id = $1', [agencyId]);
    return rows[0];
  }

  /** Up to `limit` entries after `seq`, in order. */
  async after(tx: EntityManager, agencyId: string, seq: number, limit: number): Promise<StoredEntry[]> {
    return tx.query<StoredEntry[]>(
      `SELECT agency_id AS "agencyId", seq, to_char(at AT TIME ZONE 'UTC', ${UTC}) AS at, actor, action, thing, detail,
              previous_hash AS "previousHash", hash
       FROM audit_entries WHERE agency_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [agencyId, seq, limit],
    );
  }
}
