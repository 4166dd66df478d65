import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditEntry, GENESIS } from './audit-entry.ts';

const UTC = `'YYYY-MM-DD"T"HH24:MI:SS.US'`;

const COLUMNS = `agency_id AS "agencyId", version, seq, to_char(at AT TIME ZONE 'UTC', ${UTC}) AS at, actor, action, thing,
  detail, origin, why, previous_hash AS "previousHash", hash`;

/** The last entry of a chain, as the chain's own row names it. */
export interface Head {
  readonly seq: number;
  readonly hash: Buffer;
  /** Null on a chain to which nothing was recorded since there are seals. */
  readonly seal: Buffer | null;
}

export interface LockedHead extends Pick<Head, 'seq' | 'hash'> {
  /** PostgreSQL's time once the chain was locked, so that times rise along the chain. */
  readonly at: string;
}

export interface StoredEntry extends AuditEntry {
  readonly hash: Buffer;
}

/** Whose entries, newest first. */
export interface AuditFilter {
  readonly agencyId: string;
  readonly thing?: string | undefined;
  readonly actor?: string | undefined;
  /** Entries with a smaller `seq`. */
  readonly before?: number | undefined;
  readonly limit: number;
}

@Injectable()
export class AuditRepository {
  /** Locks the agency's chain until `tx` ends, starting it when it is not there. */
  async lockHead(tx: EntityManager, agencyId: string): Promise<LockedHead> {
    const [head] = await tx.query<[LockedHead]>(
      `INSERT INTO audit_chains AS chain (agency_id, seq, hash) VALUES ($1, 0, $2)
       ON CONFLICT (agency_id) DO UPDATE SET seq = chain.seq
       RETURNING seq, hash, to_char(clock_timestamp() AT TIME ZONE 'UTC', ${UTC}) AS at`,
      [agencyId, GENESIS],
    );
    return head;
  }

  async append(tx: EntityManager, entry: StoredEntry, seal: Buffer): Promise<void> {
    await tx.query(
      `WITH head AS (UPDATE audit_chains SET seq = $3, hash = $12, seal = $13 WHERE agency_id = $1)
       INSERT INTO audit_entries
         (agency_id, version, seq, at, actor, action, thing, detail, origin, why, previous_hash, hash)
       VALUES ($1, $2, $3, $4::timestamp AT TIME ZONE 'UTC', $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        entry.agencyId,
        entry.version,
        entry.seq,
        entry.at,
        entry.actor,
        entry.action,
        entry.thing,
        JSON.stringify(entry.detail),
        entry.origin,
        entry.why,
        entry.previousHash,
        entry.hash,
        seal,
      ],
    );
  }

  async head(tx: EntityManager, agencyId: string): Promise<Head | undefined> {
    const rows = await tx.query<Head[]>('SELECT seq, hash, seal FROM audit_chains WHERE agency_id = $1', [agencyId]);
    return rows[0];
  }

  /** Up to `limit` heads of agencies after `agencyId`, in order; null begins. */
  async heads(tx: EntityManager, agencyId: string | null, limit: number) {
    return tx.query<(Omit<Head, 'seal'> & { readonly agencyId: string })[]>(
      `SELECT agency_id AS "agencyId", seq, hash FROM audit_chains
       WHERE $1::uuid IS NULL OR agency_id > $1 ORDER BY agency_id LIMIT $2`,
      [agencyId, limit],
    );
  }

  /** Every agency that has a chain: a head, or entries whose head is gone. */
  async agencies(tx: EntityManager): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT agency_id AS id FROM audit_chains UNION SELECT DISTINCT agency_id FROM audit_entries ORDER BY 1`,
    );
    return rows.map((row) => row.id);
  }

  /** Up to `limit` entries after `seq`, in order. */
  async after(tx: EntityManager, agencyId: string, seq: number, limit: number): Promise<StoredEntry[]> {
    return tx.query<StoredEntry[]>(
      `SELECT ${COLUMNS} FROM audit_entries WHERE agency_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [agencyId, seq, limit],
    );
  }

  /** The `seq` before the first entry at or after `from`; the chain's own order, in which times rise. */
  async seqBefore(tx: EntityManager, agencyId: string, from: Date): Promise<number> {
    const rows = await tx.query<{ seq: number }[]>(
      'SELECT coalesce(max(seq), 0) AS seq FROM audit_entries WHERE agency_id = $1 AND at < $2',
      [agencyId, from],
    );
    return rows[0]?.seq ?? 0;
  }

  async page(tx: EntityManager, { agencyId, thing, actor, before, limit }: AuditFilter): Promise<StoredEntry[]> {
    return tx.query<StoredEntry[]>(
      `SELECT ${COLUMNS} FROM audit_entries
       WHERE agency_id = $1 AND ($2::text IS NULL OR thing = $2) AND ($3::text IS NULL OR actor = $3)
         AND ($4::bigint IS NULL OR seq < $4)
       ORDER BY seq DESC LIMIT $5`,
      [agencyId, thing ?? null, actor ?? null, before ?? null, limit],
    );
  }

  /** Whether the actor has done anything to one of the things for this reason in the last day. */
  async doneToday(tx: EntityManager, of: Pick<AuditEntry, 'actor' | 'why'> & { readonly things: readonly string[] }) {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM audit_entries
       WHERE thing = ANY ($1) AND at > now() - interval '1 day' AND actor = $2 AND why = $3 LIMIT 1`,
      [of.things, of.actor, of.why],
    );
    return rows.length > 0;
  }
}
