import type { LedgerReader } from '../chaos/ledger.ts';
import { type Reading, risenWithin } from './trend.ts';

/** A table at one time. */
interface TableState {
  readonly rows: number;
  /** With TOAST and free space. */
  readonly heapBytes: number;
  readonly indexBytes: number;
}

export type Tables = ReadonlyMap<string, TableState>;

/** How often autovacuum comes (`autovacuum_naptime`, 60 s), and as long again for its work. */
const VACUUM_MS = 120_000;
/** Autovacuum comes to a table once a fifth of it is dead (`autovacuum_vacuum_scale_factor`), or 50 rows. */
const DEAD = { share: 0.2, rows: 50 } as const;
/** A B-tree's page that was split is half full; written anew it is filled to nine tenths (`fillfactor`). */
const SPLIT = 1.8;
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
  /** What its new and its dead rows explain. */
  readonly explainedBytes: number;
}

export async function tablesOf(ledger: LedgerReader): Promise<Tables> {
  const found = await ledger.query<{ name: string; heapBytes: number; indexBytes: number }>(
    `SELECT c.oid::regclass::text AS name, pg_table_size(c.oid)::float8 AS "heapBytes", pg_indexes_size(c.oid)::float8 AS "indexBytes"
     FROM pg_class c WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'vault'::regnamespace)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
  );
  const states = new Map<string, TableState>();
  for (const { name, ...bytes } of found) {
    const [row] = await ledger.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${name}`);
    states.set(name, { rows: row?.rows ?? 0, ...bytes });
  }
  return states;
}

/** Writes every table anew. @returns what each takes then: what its rows are worth, without free space */
export async function packed(ledger: LedgerReader, tables: Tables): Promise<Tables> {
  for (const name of tables.keys()) await ledger.query(`VACUUM FULL ${name}`);
  return tablesOf(ledger);
}

/**
 * What each table has grown by from one time to another, and what of it its rows explain: those that came, and those that were dead at
 * once before autovacuum gave their room to others.
 *
 * @param turnedOver rows of each table updated or deleted so far, over time
 */
export function growthOf(
  before: Tables,
  after: Tables,
  anew: Tables,
  turnedOver: ReadonlyMap<string, readonly Reading[]>,
): Growth[] {
  return [...after].map(([table, now]) => {
    const then = before.get(table) ?? { rows: 0, heapBytes: 0, indexBytes: 0 };
    const row = rowOf(anew.get(table));
    const added = Math.max(0, now.rows - then.rows);
    const dead = DEAD.rows + now.rows * DEAD.share + risenWithin(turnedOver.get(table) ?? [], VACUUM_MS);
    return {
      table,
      rows: now.rows - then.rows,
      grownBytes: now.heapBytes + now.indexBytes - then.heapBytes - then.indexBytes,
      rowBytes: row.heapBytes + row.indexBytes,
      explainedBytes: (added + dead) * (row.heapBytes + row.indexBytes * SPLIT) + PAGES_BYTES,
    };
  });
}

/** What a row of a table written anew takes. */
function rowOf(worth: TableState | undefined): Pick<TableState, 'heapBytes' | 'indexBytes'> {
  if (!worth || worth.rows < MEASURABLE_ROWS) return { heapBytes: ROW_BYTES, indexBytes: 0 };
  return { heapBytes: worth.heapBytes / worth.rows, indexBytes: worth.indexBytes / worth.rows };
}
