import type { LedgerReader } from '../chaos/ledger.ts';

/** A table at one time. */
interface TableState {
  readonly rows: number;
  /** With indexes, TOAST and free space. */
  readonly bytes: number;
  /** Rows updated or deleted so far. */
  readonly turnedOver: number;
}

export type Tables = ReadonlyMap<string, TableState>;

/** How often autovacuum comes (`autovacuum_naptime`, 60 s), and as long again for its work. */
const VACUUM_MINUTES = 2;
/** Autovacuum comes to a table once a fifth of it is dead (`autovacuum_vacuum_scale_factor`), or 50 rows. */
const DEAD = { share: 0.2, rows: 50 } as const;
/** An index by random keys, or one that grew by splits, is half to two thirds full; written anew it is filled to nine tenths. */
const FILL = 1.6;
/** A table and each index grow by whole pages, and begin with some. */
const PAGES_BYTES = 128 * 1024;
/** Of a table with fewer rows than these, pages would be measured and not rows: each is taken for a KB. */
const MEASURABLE_ROWS = 50;
const ROW_BYTES = 1024;

/** How a table's growth is made up. */
export interface Growth {
  readonly table: string;
  readonly rows: number;
  readonly grownBytes: number;
  /** Of a row written anew, with its part of the indexes. */
  readonly rowBytes: number;
  /** What its new rows and its turnover explain. */
  readonly explainedBytes: number;
}

export async function tablesOf(ledger: LedgerReader): Promise<Tables> {
  const found = await ledger.query<{ name: string; bytes: number; turnedOver: number }>(
    `SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid)::float8 AS bytes,
       (pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid))::float8 AS "turnedOver"
     FROM pg_class c WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'vault'::regnamespace)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
  );
  const states = new Map<string, TableState>();
  for (const { name, bytes, turnedOver } of found) {
    const [row] = await ledger.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${name}`);
    states.set(name, { rows: row?.rows ?? 0, bytes, turnedOver });
  }
  return states;
}

/** Writes every table anew. @returns what each takes then: what its rows are worth, without free space */
export async function packed(ledger: LedgerReader, tables: Tables): Promise<Tables> {
  for (const name of tables.keys()) await ledger.query(`VACUUM FULL ${name}`);
  return tablesOf(ledger);
}

/** What each table has grown by from one time to another, and what of it its rows explain. */
export function growthOf(before: Tables, after: Tables, anew: Tables, minutes: number): Growth[] {
  return [...after].map(([table, now]) => {
    const then = before.get(table) ?? { rows: 0, bytes: 0, turnedOver: 0 };
    const worth = anew.get(table);
    const rowBytes = worth && worth.rows >= MEASURABLE_ROWS ? worth.bytes / worth.rows : ROW_BYTES;
    const added = Math.max(0, now.rows - then.rows);
    const aMinute = (now.turnedOver - then.turnedOver) / Math.max(1, minutes);
    const dead = DEAD.rows + now.rows * DEAD.share + aMinute * VACUUM_MINUTES;
    return {
      table,
      rows: now.rows - then.rows,
      grownBytes: now.bytes - then.bytes,
      rowBytes,
      explainedBytes: added * rowBytes * FILL + dead * rowBytes + PAGES_BYTES,
    };
  });
}
